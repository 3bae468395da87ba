"""What the profile stage does with traits of conf/traits.yaml: checks them against the lake, and computes them."""

from datetime import date

from pyspark.sql import DataFrame

from cdp.base.errors import ConfigError
from cdp.base.lake import Lake
from cdp.base.settings import did_you_mean
from cdp.base.stage import Run
from cdp.conditions.clock import Clock
from cdp.conditions.holds import is_pattern
from cdp.gold.computed.columns import column_of, traits_table, type_of
from cdp.gold.computed.compute import computed
from cdp.gold.computed.config import FILE, INPUTS, TraitsConfig
from cdp.gold.computed.sql import answers, check_query, with_expressions
from cdp.tables.gold import PROFILES, TRAITS_HISTORY

_MOST_EVENTS = 10_000
"""Names of events that are looked through; who has more makes them of something else than what was done."""


def check_traits(run: Run, config: TraitsConfig) -> None:
    """What only Spark, or the history, can say of traits, before anything is written.

    Raises:
        ConfigError: a query or expression is not understood, or a trait has another type than before.
    """
    spark, where = run.spark, str(run.config.path / FILE)
    if config.queries:
        empty = {name: spark.createDataFrame([], table.schema) for name, table in {"profiles": PROFILES, **INPUTS}.items()}
        for trait in config.queries:
            check_query(trait.query or "", trait.name, type_of(trait), empty, as_of=run.as_of, where=where)
    if config.expressions:
        before = spark.createDataFrame([], traits_table(config).schema).drop(*[t.name for t in config.expressions])
        with_own_expressions(before, config, where)
    patterns = ((t.name, text) for t in config.counted for text in t.patterns)
    wrong = [f"{name}: filter: Java does not understand the regular expression {text}" for name, text in patterns if not is_pattern(spark, text)]
    if wrong:
        raise ConfigError(where, wrong)
    if not run.lake.exists(TRAITS_HISTORY):
        return
    # A trait keeps its type: values of two kinds under one name could be compared with nothing.
    then = {f.name: f.dataType.simpleString() for f in run.lake.read(TRAITS_HISTORY).schema}
    problems = [
        f"{column.name}: gold.traits_history has it as {then[column.name]}, now it is {column.type}; wanted another name"
        for column in map(column_of, config.traits)
        if then.get(column.name, column.type) != column.type
    ]
    if problems:
        raise ConfigError(where, problems)


def own_traits(lake: Lake, config: TraitsConfig, *, as_of: date) -> list[DataFrame]:
    """The traits but those that are expressions of others: a frame for each input and query, a row a customer with any."""
    frames = []
    for input_, table in INPUTS.items():
        wanted = [t for t in config.counted if t.from_ == input_]
        if wanted:
            frames.append(computed(lake.read(table), wanted, input_, Clock(as_of)))
    if config.queries:
        readable = {name: lake.read(table) for name, table in {"profiles": PROFILES, **INPUTS}.items()}
        for trait in config.queries:
            assert trait.query is not None
            frames.append(answers(trait.query, trait.name, type_of(trait), readable, as_of=as_of, where=FILE))
    return frames


def unheard_events(timeline: DataFrame, config: TraitsConfig) -> list[str]:
    """A line for each event of a trait that the timeline has none of: mistyped, or not sent yet. The trait is empty for all.

    Args:
        timeline: `gold.timeline`.
        config: conf/traits.yaml.
    """
    wanted = [(trait.name, event) for trait in config.counted for event in trait.events]
    if not wanted:
        return []
    there = [row["event"] for row in timeline.select("event").distinct().limit(_MOST_EVENTS).collect()]
    if len(there) == _MOST_EVENTS:
        return []
    return [
        f"{FILE}: {name}: no entry of the timeline is called {event}{did_you_mean(event, sorted(there))}"
        for name, event in wanted
        if event not in there
    ]


def with_own_expressions(traits: DataFrame, config: TraitsConfig, where: str = FILE) -> DataFrame:
    """Add the traits that are expressions of others.

    Args:
        traits: `gold.traits` without them.
        config: conf/traits.yaml.
        where: the file, for errors.
    """
    return with_expressions(traits, config.expressions, {t.name: type_of(t) for t in config.expressions}, where)
