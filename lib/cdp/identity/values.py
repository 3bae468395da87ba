"""Values that identify nobody: placeholders, those the configuration names, those the steward blocked."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.identity.config import IdentityConfig

BY_STEWARD = "blocked by the steward"
"""Why a value links nobody that the ledger blocks."""
PLACEHOLDERS = (
    *("", "-1", "0", "na", "n/a", "n.a.", "none", "null", "nil", "nan", "undefined", "unknown", "anonymous", "guest"),
    *("test", "void", "default", "empty", "blank", "missing", "invalid", "blocked", "declined", "refused", "tbd", "xxx"),
)
"""What people and systems write where there is nothing to write."""
_LOCAL_PARTS = (
    *("na", "n.a", "n-a", "none", "no", "nomail", "noemail", "no-email", "no.email", "no_email", "nope", "null"),
    *("noreply", "no-reply", "no.reply", "donotreply", "do-not-reply", "unknown", "undefined", "anonymous", "test"),
    *("testtest", "test1", "guest", "fake", "dummy", "asdf", "qwerty", "abc", "abcd", "nobody", "notprovided"),
    *("keine", "keineemail", "sansmail", "pasdemail", "sinemail", "notiene", "email", "e-mail", "mail"),
)
_LONGEST = 1024


def is_placeholder(id_type: Column, value: Column) -> Column:
    """Whether a value only fills a field: na@na.com, 0000000000, null, -1.

    Args:
        id_type: type of the identifier.
        value: its normalised value.

    Source:
        The lists that identity products block by default (Segment, Amperity, Adobe); reference: conventions, 3.1, 3.7, 3.8.
    """
    local = F.substring_index(value, "@", 1)
    digits = F.regexp_replace(value, r"\D", "")
    filled_mail = local.isin(*_LOCAL_PARTS) | local.rlike(r"\A(.)\1{2,}\z")
    filled_number = digits.rlike(r"(\d)\1{6,}\z") | digits.rlike(r"(?:0123456789|1234567890?|9876543210)\z")
    return (
        F.lower(value).isin(*PLACEHOLDERS)
        | value.rlike(r"\A[0-]+\z")
        | (F.length(value) > _LONGEST)
        | ((id_type == "email") & filled_mail)
        | ((id_type == "phone") & filled_number)
    )


def refusal(config: IdentityConfig) -> Column:
    """Why `id_value` of type `id_type` links nobody; null where it may."""
    reason = F.when(is_placeholder(F.col("id_type"), F.col("id_value")), F.lit("placeholder"))
    for id_type in config.id_types:
        if id_type.invalid:
            named = F.lower("id_value").isin(*[text.lower() for text in id_type.invalid])
            reason = reason.when((F.col("id_type") == id_type.name) & named, F.lit("invalid by configuration"))
    return reason


def refused_before(seen: DataFrame, refused: DataFrame) -> DataFrame:
    """Refuse the values, too, that were refused when all records were looked at.

    Args:
        seen: id_type, id_value, `refused`.
        refused: id_type, value_hash (SHA-256), reason.
    """
    by_hash = refused.select("id_type", F.col("value_hash").alias("_hash"), F.col("reason").alias("_reason"))
    joined = seen.withColumn("_hash", F.sha2("id_value", 256)).join(by_hash, on=["id_type", "_hash"], how="left")
    return joined.withColumn("refused", F.coalesce("refused", "_reason")).drop("_hash", "_reason")


def without_blocked(seen: DataFrame, ends: DataFrame) -> DataFrame:
    """Refuse the values and records that the steward blocked.

    Args:
        seen: node, `refused`, id_type, id_value.
        ends: `rules.endpoints`: rule_id, action, node, id_type, id_value (null: the whole record).
    """
    blocked = ends.where("action = 'block'")
    values = blocked.where("id_type is not null").select("id_type", "id_value").distinct()
    nodes = blocked.where("id_type is null").select("node").distinct()
    return refused_by_steward(refused_by_steward(seen, values), nodes)


def refused_by_steward(seen: DataFrame, blocked: DataFrame) -> DataFrame:
    """Refuse the identifiers that agree with a row of `blocked` in all its columns; each of its rows is there once."""
    marked = F.broadcast(blocked.withColumn("_is_blocked", F.lit(True)))
    joined = seen.join(marked, on=list(blocked.columns), how="left")
    reason = F.when(F.col("_is_blocked"), F.lit(BY_STEWARD)).otherwise(F.col("refused"))
    return joined.withColumn("refused", reason).drop("_is_blocked")
