"""Who shares a value: the records of one identifier's value, put into groups that may be one person each.

An identifier of an account links all its records. An e-mail address or a phone number links those whose names and birth
dates may be one person's (`names.may_be_one`); a family's address is split. The work is linear in the records: each value
has a few distinct people, and those are compared, not the records.
"""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from cdp.identity.config import CONTACT_TYPES, BadValues, IdentityConfig
from cdp.identity.devices import is_device_type
from cdp.identity.names import folded, is_firm, may_be_one, root

_WHO = ("given", "root", "words", "birth_date", "suffix")
_VALUE = ["id_type", "id_value"]
_SPREAD = 20
"""Ways of writing one person that a contact point may hold before it is too many to look into."""


def described(identifiers: DataFrame, records: DataFrame) -> DataFrame:
    """Each identifier with who the record says the person is.

    Args:
        identifiers: `silver.identifiers`.
        records: `silver.customer_records`.

    Returns:
        The identifiers with node (xxHash64 of source and record_key: that two of a million records share one has a chance
        of 3 in 100 million), given, root, words, birth_date and suffix.
    """
    given = folded(F.col("given_name"))
    full = F.concat_ws(" ", given, folded(F.col("family_name")))
    who = records.select(
        "source",
        "record_key",
        given.alias("given"),
        root(given).alias("root"),
        F.array_join(F.array_sort(F.split(full, " ")), " ").alias("words"),
        "birth_date",
        F.lower("name_suffix").alias("suffix"),
    )
    return identifiers.join(who, on=["source", "record_key"], how="left").withColumn("node", node_of())


def node_of() -> Column:
    return F.xxhash64("source", "record_key")


def grouped(seen: DataFrame, config: IdentityConfig) -> DataFrame:
    """Find the group of each record within each of its values, and the group's hub.

    Args:
        seen: `described` with `refused` (why the value links nobody; null where it may).
        config: thresholds, policy.

    Returns:
        `seen` with
        refused: also for values shared by too many;
        ids: usable identifiers of the record;
        is_person: whether it is a customer's record or has an identifier of a person, not of a device alone;
        hub: source, record_key and node of the group's first record; null where the record is linked to nobody;
        first_hub: the hub of the value's first group;
        reason: why the record belongs to its group;
        groups: people who share the value.
    """
    is_contact = F.col("id_type").isin(*CONTACT_TYPES)
    # Names have a say on contact points only: elsewhere all records of a value are one item.
    items_of = {name: F.when(is_contact, F.col(name)).alias(name) for name in _WHO}
    item = F.when(is_contact, F.xxhash64(*_WHO)).otherwise(F.lit(0).cast("bigint"))
    usable = F.col("refused").isNull()
    alone = Window.partitionBy("source", "record_key")
    names_people = usable & ~is_device_type()
    rows = seen.withColumn("item", item).select(
        "*",
        F.count_if(usable).over(alone).alias("_ids"),
        ((F.col("record_type") == "customer_record") | F.max(names_people).over(alone)).alias("is_person"),
    )
    people = _people(rows.where(usable), items_of, config)
    joined = rows.join(people, on=[*_VALUE, "item"], how="left").drop("item")
    # Of a crowd only the first people were looked into: what was found of the value holds for all.
    refused = F.coalesce("refused", F.max("_refused").over(Window.partitionBy(*_VALUE)))
    # A record that carries nothing but a shared identifier links to others of its kind, and to no person; one with
    # other identifiers is left to those, or it would chain the people who share.
    leftover = F.when(F.col("_ids") == 1, F.coalesce(F.col("_policy_group"), F.lit(-1)))
    group = F.when(refused.isNull(), F.coalesce(F.col("_group"), leftover))
    joined = joined.withColumns({"refused": refused, "_link": group, "_is_given": F.col("_group").isNotNull()})
    in_group = Window.partitionBy(*_VALUE, "_link")
    first = F.when(F.col("_link").isNotNull(), F.min(F.struct("source", "record_key", "node")).over(in_group))
    # The first group is that of the value's first record: its hub is that record.
    of_value = F.min(F.when(F.col("_link").isNotNull(), F.struct("source", "record_key", "node"))).over(
        Window.partitionBy(*_VALUE)
    )
    reason = (
        F.when(F.col("_is_given"), F.concat(F.lit("same "), F.col("id_type")))
        .when(F.col("_policy_group").isNotNull(), F.concat_ws(" ", F.lit("shared"), "id_type", F.lit(_policy_text(config))))
        .otherwise(F.concat(F.lit("same "), F.col("id_type"), F.lit(", which several people share")))
    )
    kept = ["node", "source", "record_key", "record_type", *_VALUE, "first_seen_at", "last_seen_at", "refused"]
    return joined.select(
        *kept,
        F.col("_ids").alias("ids"),
        "is_person",
        first.alias("hub"),
        of_value.alias("first_hub"),
        reason.alias("reason"),
        F.coalesce("_groups", F.lit(1)).alias("groups"),
    )


def _policy_text(config: IdentityConfig) -> str:
    return {"most_recent": "seen last", "existing": "seen first"}.get(config.shared_identifier_policy, "ambiguous")


def _people(rows: DataFrame, items_of: dict[str, Column], config: IdentityConfig) -> DataFrame:
    """Each distinct person that a value's records describe, with its group.

    Returns:
        id_type, id_value, item, _group (from 0; null: it could be any of several), _groups, _policy_group, _refused.
    """
    items = rows.groupBy(*_VALUE, "item", *items_of.values()).agg(
        F.count("*").alias("records"), F.min("first_seen_at").alias("first_at"), F.max("last_seen_at").alias("last_at")
    )
    is_full = F.length("given") > 1
    order = Window.partitionBy(*_VALUE).orderBy(
        # Those who say most come first: the others join them.
        F.coalesce(is_full, F.lit(False)).desc(),
        F.col("birth_date").isNotNull().desc(),
        F.col("given").isNotNull().desc(),
        F.col("suffix").isNotNull().desc(),
        F.col("records").desc(),
        F.col("words"),
        F.col("birth_date"),
        F.col("item"),
    )
    whole = Window.partitionBy(*_VALUE)
    most = {t: _given_threshold(config, t) for t in CONTACT_TYPES}
    cap = max((m for m in most.values() if m), default=1) * _SPREAD
    ranked = items.select(
        "*",
        F.row_number().over(order).alias("_rank"),
        F.count("*").over(whole).alias("_items"),
        F.sum("records").over(whole).alias("_records"),
    )
    values = ranked.where(F.col("_rank") <= cap).groupBy(*_VALUE).agg(
        F.array_sort(F.collect_list(F.struct("_rank", "item", *_WHO, "first_at", "last_at"))).alias("items"),
        F.first("_items").alias("_items"),
        F.first("_records").alias("_records"),
    )
    first_ones = F.when(F.size("items") == 1, F.col("items")).otherwise(_leaders(F.col("items")))
    values = values.withColumn("leaders", F.when(F.col("_items") <= cap, first_ones)).withColumn(
        "_groups", F.size("leaders")
    )
    refused = _refusal(config, most, cap)
    assigned = F.transform("items", lambda x: _assigned(x, F.col("leaders"), config))
    return values.withColumn("_refused", refused).select(
        *_VALUE, F.inline(assigned), F.greatest("_groups", F.lit(1)).alias("_groups"), "_refused"
    )


def _refusal(config: IdentityConfig, most: dict[str, int | None], cap: int) -> Column:
    too_many = F.col("_records") > config.max_cluster_size * 10
    reason = F.when(too_many, F.concat(F.lit("on more than "), F.lit(config.max_cluster_size * 10), F.lit(" records")))
    for id_type, threshold in most.items():
        if threshold:
            crowd = (F.col("id_type") == id_type) & ((F.col("_groups") > threshold) | (F.col("_items") > cap))
            reason = reason.when(crowd, F.lit(f"shared by more than {threshold} people of different given names"))
    return reason


def _given_threshold(config: IdentityConfig, id_type: str) -> int | None:
    rules = [r.threshold for r in config.thresholds() if r.column == id_type and r.distinct == "given_name"]
    return min(rules, default=None)


def _leaders(items: Column) -> Column:
    """One item of each person: the items that cannot be one with any before them."""

    def joined(found: Column, item: Column) -> Column:
        is_known = F.exists(found, lambda leader: may_be_one(item, leader))
        return F.when(is_known, found).otherwise(F.concat(found, F.array(item)))

    return F.aggregate(items, F.filter(items, lambda _: F.lit(False)), joined)


def _assigned(item: Column, leaders: Column, config: IdentityConfig) -> Column:
    """The leader that an item may be one with; of several the one that name or birth date decide for, else none."""
    numbered = F.transform(leaders, lambda leader, i: F.struct(leader.alias("who"), i.alias("i")))
    fits = F.when(F.size(leaders) == 1, numbered).otherwise(
        F.filter(numbered, lambda leader: may_be_one(item, leader["who"]))
    )
    firm = F.filter(fits, lambda leader: is_firm(item, leader["who"]))
    group = F.when(F.size(fits) == 1, F.get(fits, F.lit(0))["i"]).when(F.size(firm) == 1, F.get(firm, F.lit(0))["i"])
    if config.shared_identifier_policy == "most_recent":
        chosen = F.array_max(F.transform(fits, lambda x: F.struct(x["who"]["last_at"].alias("at"), x["i"].alias("i"))))
    else:
        chosen = F.array_min(F.transform(fits, lambda x: F.struct(x["who"]["first_at"].alias("at"), x["i"].alias("i"))))
    by_policy = F.lit(None).cast("int") if config.shared_identifier_policy == "ambiguous" else chosen["i"]
    return F.struct(
        item["item"].alias("item"), group.alias("_group"), F.when(group.isNull(), by_policy).alias("_policy_group")
    )


def learned(identifiers: DataFrame, records: DataFrame, rules: tuple[BadValues, ...]) -> DataFrame | None:
    """Values that too many people share, where the configuration asks for more than given names on a contact point.

    Args:
        identifiers: `silver.identifiers`.
        records: `silver.customer_records`.
        rules: learned bad values.

    Returns:
        id_type, id_value, learned (why); None where no rule asks for it.
    """
    others = [r for r in rules if not (r.column in CONTACT_TYPES and r.distinct == "given_name")]
    if not others:
        return None
    fields = {name: _field(name).alias(f"_{i}") for i, name in enumerate(dict.fromkeys(r.distinct for r in others))}
    names = {name: f"_{i}" for i, name in enumerate(fields)}
    people = identifiers.where(F.col("id_type").isin(sorted({r.column for r in others}))).join(
        records.select("source", "record_key", *fields.values()), on=["source", "record_key"], how="inner"
    )
    counts = people.groupBy(*_VALUE).agg(*[F.count_distinct(c).alias(c) for c in names.values()])
    reason = F.lit(None).cast("string")
    for rule in others:
        is_bad = (F.col("id_type") == rule.column) & (F.col(names[rule.distinct]) > rule.threshold)
        text = f"shared by more than {rule.threshold} people of different {rule.distinct}"
        reason = F.when(is_bad, F.lit(text)).otherwise(reason)
    return counts.select(*_VALUE, reason.alias("learned")).where("learned is not null")


def _field(name: str) -> Column:
    """A field of a customer record, in a form in which small differences do not count."""
    if "." in name:
        column, key = name.split(".", 1)
        return F.lower(F.col(column)[key])
    if name in CONTACT_TYPES:
        return F.get(F.col(f"{name}s"), F.lit(0))
    if name in ("birth_date", "birth_year"):
        return F.col(name)
    return folded(F.col(name)) if name.endswith("_name") else F.lower(name)
