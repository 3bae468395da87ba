"""What becomes of each member at each destination: consent first, then the difference to what the destination holds."""

from collections.abc import Iterable

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.activation.config import Destination
from cdp.activation.layouts import field_value, identifiers

_KEY = ["destination", "segment", "customer_id"]


def candidates(
    members: DataFrame, consent: DataFrame, people: DataFrame, destinations: Iterable[Destination]
) -> DataFrame:
    """Judge every member for every destination of the segment.

    Args:
        members: `gold.segment_members`, and who is at a step of a journey (`cdp.activation.people.members`).
        consent: `gold.effective_consent`: the only thing that says what is allowed; no row, not allowed.
        people: `cdp.activation.people.people`.
        destinations: to deliver to.

    Returns:
        One row for each destination, segment and customer: identifiers (as they would be sent), payload (column to
        value, for plain files), outcome (sent, suppressed, rejected, held_out) and reason.
    """
    wanted = list(destinations)
    rows = [(d.name, s, list(d.requires_consent.all)) for d in wanted for s in d.audiences]
    routes = members.sparkSession.createDataFrame(
        rows, "destination string, segment string, required array<string>"
    )
    allowed = (
        consent.where("is_allowed").groupBy("customer_id").agg(F.collect_set("purpose").alias("allowed"))
    )
    frame = (
        members.join(F.broadcast(routes), on="segment", how="inner")
        .join(allowed, on="customer_id", how="left")
        .join(people, on="customer_id", how="left")
    )
    nothing = F.array().cast("array<string>")
    denied = F.array_sort(F.array_except("required", F.coalesce("allowed", nothing)))
    known = F.coalesce(_by_destination({d.name: identifiers(d) for d in wanted}), nothing)
    frame = frame.withColumns({"identifiers": known, "denied": denied})
    payload = {d.name: _payload(d) for d in wanted if d.layout == "plain"}
    return frame.select(
        *_KEY,
        "identifiers",
        (_by_destination(payload) if payload else F.lit(None).cast("map<string,string>")).alias("payload"),
        _first_obstacle().alias("obstacle"),
    ).select(*_KEY, "identifiers", "payload", "obstacle.outcome", "obstacle.reason")


def fates(candidates_: DataFrame, held: DataFrame) -> DataFrame:
    """Compare with what the destinations hold.

    Args:
        candidates_: see `candidates`.
        held: `activation.delivered_members` of the same destinations.

    Returns:
        One row for each destination, segment and customer that is a candidate or held: action, outcome and reason of
        `activation.deliveries`; identifiers and payload; held_since; is_held_next (whether the destination holds the
        customer after this run); gone (identifiers to remove) and must_go (even if somebody else holds them too:
        consent is lost).
    """
    before = held.select(*_KEY, F.col("identifiers").alias("held"), F.col("since").alias("held_since"))
    both = candidates_.join(before, on=_KEY, how="full")
    is_held = F.col("held").isNotNull()
    wants = F.coalesce(F.col("outcome") == "sent", F.lit(False))
    same = is_held & (F.col("held") == F.col("identifiers"))
    removes = is_held & ~wants
    action = F.when(wants & same, "keep").when(removes, "remove").otherwise("add")
    nothing = F.array().cast("array<string>")
    gone = F.when(removes, F.col("held")).when(wants & is_held, F.array_except("held", "identifiers"))
    changed = F.lit("its identifiers changed")
    left = F.when(_is_step(), "left the step").otherwise("left the segment")
    reason = (
        F.when(removes, F.coalesce("reason", left))
        .when(wants & is_held & ~same, changed)
        .otherwise(F.col("reason"))
    )
    return both.select(
        *_KEY,
        action.alias("action"),
        F.when(removes, "sent").otherwise(F.col("outcome")).alias("outcome"),
        reason.alias("reason"),
        "identifiers",
        "payload",
        "held_since",
        wants.alias("is_held_next"),
        F.coalesce(gone, nothing).alias("gone"),
        (removes & F.coalesce(F.col("outcome") == "suppressed", F.lit(False))).alias("must_go"),
    )


def removals(fates_: DataFrame) -> DataFrame:
    """The identifiers to remove: those gone, but not those by which the destination still holds another member.

    Where consent is lost the identifier goes in any case.

    Returns:
        destination, segment, customer_id and entries (list of identifiers, sorted; at least one).
    """
    gone = fates_.where(F.size("gone") > 0).select(*_KEY, "must_go", F.explode("gone").alias("entry"))
    staying = (
        fates_.where("is_held_next")
        .select("destination", "segment", F.explode("identifiers").alias("entry"))
        .join(gone.select("entry").distinct(), on="entry", how="left_semi")
        .distinct()
        .withColumn("stays", F.lit(True))
    )
    return (
        gone.join(staying, on=["destination", "segment", "entry"], how="left")
        .where(F.col("must_go") | F.col("stays").isNull())
        .groupBy(*_KEY)
        .agg(F.array_sort(F.collect_list("entry")).alias("entries"))
    )


def _first_obstacle() -> Column:
    """Why a member is not sent. The control group comes last: it is made of those who would have been sent."""

    def fate(outcome: str, reason: Column) -> Column:
        return F.struct(F.lit(outcome).alias("outcome"), reason.alias("reason"))

    no_consent = F.concat(F.lit("no consent: "), F.array_join("denied", ", "))
    whose = F.when(_is_step(), "no consent for the journey's purpose").otherwise("no consent for the segment's purpose")
    return (
        F.when(F.size("denied") > 0, fate("suppressed", no_consent))
        .when(F.col("is_suppressed"), fate("suppressed", whose))
        .when(F.size("identifiers") == 0, fate("rejected", F.lit("nothing the destination knows people by")))
        .when(F.col("is_held_out"), fate("held_out", F.lit("control group")))
        .otherwise(fate("sent", F.lit(None).cast("string")))
    )


def _is_step() -> Column:
    """Whether the audience is a step of a journey: names of segments have no dot."""
    return F.col("segment").contains(".")


def _by_destination(values: dict[str, Column]) -> Column:
    chosen = F.lit(None)
    for name, value in values.items():
        chosen = F.when(F.col("destination") == name, value).otherwise(chosen)
    return chosen


def _payload(destination: Destination) -> Column:
    names = F.array(*[F.lit(f.to) for f in destination.fields])
    return F.map_from_arrays(names, F.array(*[field_value(f) for f in destination.fields]))
