"""What destinations may ask of a member, one row a customer."""

from collections.abc import Iterable, Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.activation.config import Destination, OutputField
from cdp.activation.load import identifier_type_of, is_plain_column, rank_of
from cdp.conditions.clock import Clock
from cdp.segments.attributes import BUILT_IN, Attribute, Catalogue, column_named
from cdp.segments.frame import customer_frame

_FOR_PLATFORMS = ("emails", "phones", "given_name", "family_name", "city", "region", "postal_code", "country")
EMAILS, PHONES = "every_email", "every_phone"


def attributes_of(
    destinations: Iterable[Destination], catalogue: Catalogue = BUILT_IN
) -> frozenset[Attribute]:
    """Attributes of the gold tables that the destinations ask for."""
    found = set()
    for destination in destinations:
        if destination.layout != "plain":
            found |= {catalogue.find(f"profile.{name}") for name in _FOR_PLATFORMS}
        found |= {catalogue.find(f.from_, f.horizon_days) for f in destination.fields if not is_plain_column(f)}
    return frozenset(found)


def column_of(field: OutputField) -> str:
    """Column of `people` (or of a member: customer_id, segment) that a field asks for."""
    if rank_of(field):
        return f"recommendation__{rank_of(field)}"
    if identifier_type_of(field):
        return f"identifier__{identifier_type_of(field)}"
    return field.from_ if is_plain_column(field) else column_named(field.from_, field.horizon_days)


def members(segment_members: DataFrame, journey_members: DataFrame, destinations: Iterable[Destination]) -> DataFrame:
    """Whom the destinations get, consent aside.

    Args:
        segment_members: `gold.segment_members`.
        journey_members: `gold.journey_members`.
        destinations: who gets them.

    Returns:
        A row for each customer and audience: segment (a segment, or JOURNEY.STEP), customer_id, is_suppressed, is_held_out,
        matched (what sequences of a segment kept; null for a step).
    """
    wanted = list(destinations)
    segments = sorted({s for d in wanted for s in d.segments})
    steps = sorted({s for d in wanted for s in d.journeys})
    columns = ("segment", "customer_id", "is_suppressed", "is_held_out", "matched")
    found = segment_members.where(F.col("segment").isin(segments)).select(*columns)
    if not steps:
        return found
    there = journey_members.withColumns(
        {"segment": F.concat_ws(".", "journey", "step"), "matched": F.lit(None).cast("map<string,array<string>>")}
    )
    return found.unionByName(there.where(F.col("is_deliverable") & F.col("segment").isin(steps)).select(*columns))


def people(
    tables: Mapping[str, DataFrame],
    destinations: Iterable[Destination],
    clock: Clock,
    catalogue: Catalogue = BUILT_IN,
) -> DataFrame:
    """Everything that the destinations ask for.

    Args:
        tables: `gold` tables by source: profile, traits, predictions, household, consent, identifiers,
            recommendations; only those that are asked for are used.
        destinations: who asks.
        clock: the run's date.
        catalogue: what there is to ask.

    Returns:
        One row a row of `tables["profile"]`: customer_id and `column_of` each field; for the layouts of advertising
        platforms also every_email and every_phone, best first, with each that points to the customer.
    """
    wanted = list(destinations)
    frame = customer_frame(tables, attributes=attributes_of(wanted, catalogue), behaviors={}, clock=clock)
    fields = [f for d in wanted for f in d.fields]
    ranks = sorted({rank for f in fields if (rank := rank_of(f))})
    if ranks:
        frame = frame.join(_products(tables["recommendations"], ranks), on="customer_id", how="left")
    types = sorted({kind for f in fields if (kind := identifier_type_of(f))})
    is_fanned_out = any(d.layout != "plain" for d in wanted)
    if types or is_fanned_out:
        frame = frame.join(_identifiers(tables["identifiers"], types), on="customer_id", how="left")
    if not is_fanned_out:
        return frame
    nothing = F.array().cast("array<string>")
    every = {EMAILS: ("profile__emails", "known_emails"), PHONES: ("profile__phones", "known_phones")}
    return frame.withColumns(
        {
            name: F.array_distinct(F.concat(*[F.coalesce(F.col(c), nothing) for c in columns]))
            for name, columns in every.items()
        }
    )


def _products(recommendations: DataFrame, ranks: list[int]) -> DataFrame:
    chosen = [
        F.max(F.when(F.col("rank") == r, F.col("product_id"))).alias(f"recommendation__{r}") for r in ranks
    ]
    return recommendations.where(F.col("rank").isin(ranks)).groupBy("customer_id").agg(*chosen)


def _identifiers(identifiers: DataFrame, types: list[str]) -> DataFrame:
    newest = F.struct("last_seen_at", "id_value")

    def latest(kind: str) -> Column:
        return F.max_by("id_value", F.when(F.col("id_type") == kind, newest)).alias(f"identifier__{kind}")

    def every(kind: str) -> Column:
        return F.sort_array(F.collect_set(F.when(F.col("id_type") == kind, F.col("id_value"))))

    # What a person has given up may be somebody else's by now.
    used = identifiers.where(F.col("is_current") & F.col("id_type").isin(["email", "phone", *types]))
    return used.groupBy("customer_id").agg(
        every("email").alias("known_emails"),
        every("phone").alias("known_phones"),
        *[latest(t) for t in types],
    )
