"""Who is on a list: its values in the form in which the lake knows identifiers, matched with every customer's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from cdp.segments.lists import CUSTOMER, ListCondition, place_of, separator_of
from cdp.silver.contacts import identifier_form

_HASHED = r"\A[0-9a-fA-F]{64}\z"
_GMAIL = r"@(gmail|googlemail)\.com\z"
_HASHABLE = ("email", "phone")


@dataclass(frozen=True)
class People:
    """What lists are matched with.

    Attributes:
        profiles: `gold.profiles`.
        identifiers: `gold.customer_identifiers`.
        former: customer ids that hold no more, see `cdp.segments.past.former_ids`.
    """

    profiles: DataFrame
    identifiers: DataFrame
    former: DataFrame


def read_list(spark: SparkSession, condition: ListCondition) -> DataFrame:
    """The values of a list as texts: one column, `value`."""
    path = Path(condition.path)
    if path.suffix == ".parquet":
        return spark.read.parquet(f"file://{path}").select(F.col(f"`{condition.named}`").cast("string").alias("value"))
    separator = separator_of(path, condition.named)
    rows = spark.read.csv(f"file://{path}", header=True, sep=separator, escape='"')
    # By its place: names that differ by case alone are renamed on reading.
    return rows.select(F.col(f"`{rows.columns[place_of(path, condition.named)]}`").alias("value"))


def on_lists(
    wanted: Mapping[str, ListCondition],
    people: People,
    read: Callable[[ListCondition], DataFrame],
    default_country: str | None,
) -> DataFrame:
    """Match lists with customers.

    Args:
        wanted: lists by the name of their column.
        people: whom they may name.
        read: the values of a list, as `read_list`.
        default_country: country of phone numbers without a country code.

    Returns:
        list (the name of its column), entry (a value in its one form, each once), customer_id: a row for each customer
        it means, or one without.
    """
    values = reduce(DataFrame.unionByName, [_entries(name, c, read(c), default_country) for name, c in wanted.items()])
    known = _known(people, sorted({c.identifier for c in wanted.values()}))
    return values.join(known, on=["id_type", "entry"], how="left").select("list", "entry", "customer_id")


def flags(matched: DataFrame, names: list[str]) -> DataFrame:
    """customer_id and a column for each list, true or false; only customers on one."""
    known = matched.where("customer_id IS NOT NULL")
    return known.groupBy("customer_id").agg(*[F.bool_or(F.col("list") == name).alias(name) for name in names])


def counts(matched: DataFrame) -> DataFrame:
    """list, entries, and how many of them are known customers: a row a list."""
    per_entry = matched.groupBy("list", "entry").agg(F.count("customer_id").alias("customers"))
    return per_entry.groupBy("list").agg(
        F.count("*").alias("entries"), F.count_if(F.col("customers") > 0).alias("known")
    )


def _entries(name: str, condition: ListCondition, values: DataFrame, default_country: str | None) -> DataFrame:
    """list, id_type, entry: each entry once. What is no identifier of its type stays as it is, and so is unknown."""
    bare = F.trim("value")
    form: Column = bare
    if condition.identifier != CUSTOMER:
        formed = identifier_form(F.create_map(F.lit(condition.identifier), bare), default_country)
        form = F.coalesce(F.try_element_at(formed, F.lit(condition.identifier)), bare)
    if condition.identifier in _HASHABLE:
        form = F.when(bare.rlike(_HASHED), F.lower(bare)).otherwise(form)
    filled = values.where(F.col("value").rlike(r"\S"))
    entries = filled.select(
        form.alias("entry")
    ).dropDuplicates()  # a list may name somebody twice, in two ways of writing
    return entries.select(F.lit(name).alias("list"), F.lit(condition.identifier).alias("id_type"), "entry")


def _known(people: People, types: list[str]) -> DataFrame:
    """id_type, entry, customer_id: what a list may say to mean a customer, those among whom segments look."""
    there = people.profiles.select("customer_id")
    found = people.identifiers.where(F.col("id_type").isin(types)).select(
        "customer_id", "id_type", F.explode(_ways("id_type", "id_value")).alias("entry")
    )
    if CUSTOMER in types:
        now = there.select("customer_id", F.lit(CUSTOMER).alias("id_type"), F.col("customer_id").alias("entry"))
        before = people.former.select("customer_id", F.lit(CUSTOMER).alias("id_type"), F.col("former").alias("entry"))
        found = found.unionByName(now).unionByName(before)
    # Two addresses of one customer may be one mailbox, and so have one hash.
    return found.join(there, on="customer_id", how="left_semi").dropDuplicates(["id_type", "entry", "customer_id"])


def _ways(kind: str, value: str) -> Column:
    """An identifier, and its hashes as advertising platforms want them: Gmail's without dots and `+tag` as well, phone
    numbers with and without +."""
    id_type, id_value = F.col(kind), F.col(value)
    local = F.regexp_replace(F.substring_index(id_value, "@", 1), r"\+.*|\.", "")
    short = F.concat(local, F.lit("@"), F.substring_index(id_value, "@", -1))
    hashes = (
        F.when((id_type == "email") & id_value.rlike(_GMAIL), F.array(id_value, short))
        .when(id_type == "email", F.array(id_value))
        .when(id_type == "phone", F.array(id_value, F.regexp_replace(id_value, r"\A\+", "")))
    )
    hashed = F.transform(F.coalesce(hashes, F.array().cast("array<string>")), lambda text: F.sha2(text, 256))
    return F.array_distinct(F.concat(F.array(id_value), hashed))
