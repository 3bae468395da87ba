"""People who share a home."""

import unicodedata

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.identity.config import HouseholdRule

_ACCENTED = "àáâãäåāăąçćčďđèéêëēėęěìíîïīįłñńňòóôõöøōőřśšşťţùúûüūůűųýÿžźż"
_WITHOUT_PARTS = {"đ": "d", "ł": "l", "ø": "o"}
_PLAIN = "".join(_WITHOUT_PARTS.get(c, unicodedata.normalize("NFD", c)[0]) for c in _ACCENTED)


def households(profiles: DataFrame, rule: HouseholdRule) -> DataFrame:
    """`gold.households` of `gold.profiles`: two customers or more who agree in every field of the rule.

    Case, accents, punctuation and the ways to write "street" in German do not tell addresses apart. A customer who
    lacks one of the fields is in no household.
    """
    fields = [*rule.same, *([rule.and_] if rule.and_ else [])]
    keys = [_comparable(F.col(name)) for name in fields]
    key = F.when(F.concat(*keys).isNotNull(), F.concat_ws("|", *keys))
    shown = ("street", "city", "postal_code", "country")
    first = F.min_by(F.struct(*shown), F.col("customer_id")).alias("home")
    grouped = (
        profiles.withColumn("household_id", F.sha2(key, 256))
        .where("household_id is not null")
        .groupBy("household_id")
        .agg(
            F.sort_array(F.collect_list("customer_id")).alias("customer_ids"),
            F.count("*").cast("int").alias("size"),
            first,
            F.min_by("family_name", "customer_id").alias("family_name"),
            F.size(F.collect_set(_comparable(F.col("family_name")))).alias("_names"),
        )
    )
    one_name = F.when(F.col("_names") == 1, F.col("family_name")).alias("family_name")
    return grouped.where("size > 1").select("household_id", "customer_ids", "size", one_name, "home.*")


def _comparable(text: Column) -> Column:
    """Lower case letters and digits without accents; null where there are none."""
    plain = F.regexp_replace(F.lower(text), "stra(?:ß|ss)e", "str")
    plain = F.regexp_replace(
        F.translate(F.replace(plain, F.lit("ß"), F.lit("ss")), _ACCENTED, _PLAIN), r"[^\p{L}\p{N}]+", ""
    )
    return F.nullif(plain, F.lit(""))
