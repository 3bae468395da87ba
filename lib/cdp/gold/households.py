"""People who share a home."""

import unicodedata

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.identity.config import HouseholdRule

_ACCENTED = "àáâãäåāăąçćčďđèéêëēėęěìíîïīįłñńňòóôõöøōőřśšşťţùúûüūůűųýÿžźż"
_WITHOUT_PARTS = {"đ": "d", "ł": "l", "ø": "o"}
_PLAIN = "".join(_WITHOUT_PARTS.get(c, unicodedata.normalize("NFD", c)[0]) for c in _ACCENTED)


def households(profiles: DataFrame, rule: HouseholdRule, before: DataFrame) -> DataFrame:
    """`gold.households` of `gold.profiles`: two customers or more who agree in every field of the rule.

    Case, accents, punctuation and the ways to write "street" in German do not tell addresses apart. A customer who
    lacks one of the fields is in no household.

    A household keeps its id when it moves, grows or loses somebody: an id of the run before goes to the household that most
    of its members are in now, and a household keeps that of most of its members.

    Args:
        profiles: `gold.profiles`.
        rule: what they must agree in.
        before: `gold.households` as the run before left it.
    """
    fields = [*rule.same, *([rule.and_] if rule.and_ else [])]
    keys = [_comparable(F.col(name)) for name in fields]
    key = F.when(F.concat(*keys).isNotNull(), F.concat_ws("|", *keys))
    shown = ("street", "city", "postal_code", "country")
    first = F.min_by(F.struct(*shown), F.col("customer_id")).alias("home")
    grouped = (
        profiles.withColumn("_key", F.sha2(key, 256))
        .where("_key is not null")
        .groupBy("_key")
        .agg(
            F.sort_array(F.collect_list("customer_id")).alias("customer_ids"),
            F.count("*").cast("int").alias("size"),
            first,
            F.min_by("family_name", "customer_id").alias("family_name"),
            F.size(F.collect_set(_comparable(F.col("family_name")))).alias("_names"),
        )
    )
    one_name = F.when(F.col("_names") == 1, F.col("family_name")).alias("family_name")
    homes = grouped.where("size > 1")
    # The first member goes into a new id: where the old tenants took theirs along, those who follow get another.
    new_id = F.sha2(F.concat_ws("|", "_key", F.get("customer_ids", F.lit(0))), 256)
    named = homes.join(_kept_ids(homes, before), on="_key", how="left")
    return named.select(F.coalesce("_kept", new_id).alias("household_id"), "customer_ids", "size", one_name, "home.*")


def _kept_ids(homes: DataFrame, before: DataFrame) -> DataFrame:
    """_key, _kept: of households that go on, the id of the run before."""
    now = homes.select("_key", F.explode("customer_ids").alias("customer_id"))
    then = before.select("household_id", F.explode("customer_ids").alias("customer_id"))
    shared = now.join(then, on="customer_id", how="inner").groupBy("_key", "household_id").agg(F.count("*").alias("members"))
    most = shared.groupBy("household_id").agg(F.max(F.struct("members", "_key")).alias("most"))
    return most.groupBy("most._key").agg(F.max_by("household_id", F.struct("most.members", "household_id")).alias("_kept"))


def _comparable(text: Column) -> Column:
    """Lower case letters and digits without accents; null where there are none."""
    plain = F.regexp_replace(F.lower(text), "stra(?:ß|ss)e", "str")
    plain = F.regexp_replace(
        F.translate(F.replace(plain, F.lit("ß"), F.lit("ss")), _ACCENTED, _PLAIN), r"[^\p{L}\p{N}]+", ""
    )
    return F.nullif(plain, F.lit(""))
