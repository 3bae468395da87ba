"""How good the customers are where nobody knows the truth: signs of people merged, of people split, of ids that do not last."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import sqrt

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.identity.config import IdentityConfig, QualityBand

_MERGED = {"more than 3 given names": ("given_name_key", 3), "more than 3 family names": ("family_name_key", 3),
           "more than 5 postal codes": ("postal_code", 5)}  # fmt: skip
_SPLIT = ("same name and e-mail", "same name and phone", "same name and address")
_UNSTABLE = "records whose customer changed"
_CHANCE = 3.0
"""Standard deviations that chance may add to what is expected."""


@dataclass(frozen=True)
class Check:
    """A row of `identity.quality`."""

    name: str
    sign_of: str
    found: int
    out_of: int
    band: QualityBand

    @property
    def share(self) -> float:
        return self.found / self.out_of if self.out_of else 0.0

    @property
    def status(self) -> str:
        """green, orange or red; see `identity.quality`."""
        expected = self.band.at_most * self.out_of
        if self.found <= expected:
            return "green"
        return "red" if self.found > expected + _CHANCE * sqrt(expected) + 1 else "orange"

    @property
    def is_broken(self) -> bool:
        """Whether the run is to end with exit code 3."""
        return self.status == "red" and self.band.severity == "error"

    @property
    def sentence(self) -> str:
        return f"{self.name}: {self.found:,} of {self.out_of:,} ({self.share:.3%}), expected at most {self.band.at_most:.3%}"


def checks(records: DataFrame, members: DataFrame, changed: tuple[int, int], config: IdentityConfig) -> list[Check]:
    """Judge the customers of a run.

    Args:
        records: `silver.customer_records`.
        members: source, record_key, component.
        changed: records whose customer is another one than before, and records that had one.
        config: what is expected.
    """
    placed = records.join(members.select("source", "record_key", "component"), on=["source", "record_key"], how="inner")
    counts = {name: F.size(F.collect_set(column)) > most for name, (column, most) in _MERGED.items()}
    people = placed.groupBy("component").agg(*[is_so.alias(name) for name, is_so in counts.items()])
    merged = people.agg(F.count("*").alias("all"), *[F.count_if(F.col(name)).alias(name) for name in counts]).first()
    assert merged is not None
    shared = placed.select("component", F.explode(_twins()).alias("twin")).where("twin.value is not null")
    values = shared.groupBy("twin.kind", "twin.value").agg((F.count_distinct("component") > 1).alias("is_split"))
    split = {
        row["kind"]: (row["found"], row["all"])
        for row in values.groupBy("kind").agg(F.count("*").alias("all"), F.count_if("is_split").alias("found")).collect()
    }
    found = [("merged", name, merged[name], merged["all"]) for name in _MERGED]
    found += [("split", name, *split.get(name, (0, 0))) for name in _SPLIT]
    found.append(("unstable", _UNSTABLE, *changed))
    return [Check(name, sign, count, out_of, config.band(name)) for sign, name, count, out_of in found]


def quality_rows(found: Sequence[Check], run_id: str, as_of: date) -> list[tuple[object, ...]]:
    """`identity.quality`."""
    return [
        (run_id, as_of, c.name, c.sign_of, c.found, c.out_of, c.share, c.band.at_most, c.band.severity, c.status)
        for c in found
    ]


def _twins() -> Column:
    """What two people hardly ever share, one entry for each e-mail address, phone and address of a record with a full name."""
    name = F.concat_ws("|", "given_name_key", "family_name_key")
    is_named = F.col("given_name_key").isNotNull() & F.col("family_name_key").isNotNull()
    address = F.concat("street", F.lit("|"), "postal_code")

    def entry(kind: str, value: Column) -> Column:
        whole = F.when(is_named & value.isNotNull(), F.xxhash64(name, F.lower(value)))
        return F.struct(F.lit(kind).alias("kind"), whole.alias("value"))

    nothing = F.array().cast("array<string>")
    emails = F.transform(F.coalesce("emails", nothing), lambda value: entry(_SPLIT[0], value))
    phones = F.transform(F.coalesce("phones", nothing), lambda value: entry(_SPLIT[1], value))
    return F.concat(emails, phones, F.array(entry(_SPLIT[2], address)))
