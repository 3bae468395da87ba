"""People who share a home."""

import unicodedata

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.gold.members import with_lasting_ids
from cdp.identity.config import HouseholdRule

_ACCENTED = "àáâãäåāăąçćčďđèéêëēėęěìíîïīįłñńňòóôõöøōőřśšşťţùúûüūůűųýÿžźż"
_WITHOUT_PARTS = {"đ": "d", "ł": "l", "ø": "o"}
_PLAIN = "".join(_WITHOUT_PARTS.get(c, unicodedata.normalize("NFD", c)[0]) for c in _ACCENTED)


def households(profiles: DataFrame, rule: HouseholdRule, before: DataFrame) -> DataFrame:
    """`gold.households` of `gold.profiles`, without what its members did: two customers or more who agree in every field of the rule.

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
    homes = with_lasting_ids(grouped.where("size > 1"), before, "household_id")
    return homes.select("household_id", "customer_ids", "size", one_name, "home.*")


def _comparable(text: Column) -> Column:
    """Lower case letters and digits without accents; null where there are none."""
    plain = plain_letters(F.regexp_replace(F.lower(text), "stra(?:ß|ss)e", "str"))
    return F.nullif(F.regexp_replace(plain, r"[^\p{L}\p{N}]+", ""), F.lit(""))


def plain_letters(lower: Column) -> Column:
    """Text in lower case without accents."""
    return F.translate(F.replace(lower, F.lit("ß"), F.lit("ss")), _ACCENTED, _PLAIN)
