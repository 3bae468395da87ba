"""Expressions checked without Spark: as strict as Spark where they are wrong, never stricter where they are right.

`sql_good.txt` holds expressions that both must take, `sql_bad.txt` such as both must refuse, `sql_refused.txt` such as
Spark takes and we do not, since they say nothing about one row.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from sqlglot import tokenize

from cdp.base.errors import ConfigError
from cdp.base.settings import ConfigFolder, parse
from cdp.bronze.config import SourceConfig, load_sources
from cdp.bronze.sql import LINEAGE, expression_problems, source_problems
from cdp.bronze.sql_functions import UNREPEATABLE, functions
from cdp.silver.entities import FIELD_TYPES, REQUIRED
from cdp.silver.expressions import evaluate

PROJECT = Path(__file__).resolve().parents[2]
COLUMNS = {
    "id": "string",
    "name": "string",
    "first name": "string",
    "amount": "decimal(12,2)",
    "qty": "int",
    "price": "double",
    "active": "boolean",
    "born": "date",
    "seen": "timestamp",
    "address": "struct<city:string,zip:string,geo:struct<lat:double,lon:double>>",
    "items": "array<struct<sku:string,quantity:int,price:double>>",
    "tags": "array<string>",
    "matrix": "array<array<int>>",
    "attrs": "map<string,string>",
    "places": "map<string,struct<city:string>>",
    "raw": "binary",
    "doc": "variant",
    "order": "string",
    "größe": "string",
    "lineItems": "array<struct<sku:string,price:double>>",
}


def _lines(name: str) -> list[str]:
    lines = (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("##")]


GOOD = _lines("sql_good.txt")
BAD = [tuple(line.split("  ==>  ")) for line in _lines("sql_bad.txt")]
REFUSED = [tuple(line.split("  ==>  ")) for line in _lines("sql_refused.txt")]


def _problems(text: str, columns: dict[str, str] | None = None) -> tuple[str, ...]:
    return expression_problems(text, tuple((columns or COLUMNS).items()))


@pytest.fixture(scope="module")
def frame(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame([], ", ".join(f"`{n}` {kind}" for n, kind in {**COLUMNS, **LINEAGE}.items()))


def _refused_by_spark(frame: DataFrame, texts: list[str]) -> list[str]:
    """Those of the expressions that the clean stage would stop at."""

    def refuses(*some: str) -> bool:
        try:
            evaluate(frame, {f"f{number}": (text, "string") for number, text in enumerate(some)}, keep=[], where="test")
        except (ConfigError, PySparkException, Py4JJavaError):
            return True
        return False

    # All at once is quicker where there is nothing to find.
    return [text for text in texts if refuses(text)] if texts and refuses(*texts) else []


# What is right


def test_spark_takes_every_good_expression(frame: DataFrame):
    assert len(GOOD) > 500
    assert _refused_by_spark(frame, GOOD) == []


def test_a_good_expression_passes():
    assert {text: found for text in GOOD if (found := _problems(text))} == {}


def test_the_sample_retailers_sources_pass():
    sources = load_sources(ConfigFolder(PROJECT / "conf"))

    assert [source_problems(source) for source in sources.values()] == [[]] * len(sources)


@pytest.mark.parametrize("word", "end from case select when null date timestamp interval map key values in user".split())
def test_a_column_may_be_called_like_a_word_of_sql(frame: DataFrame, word: str):
    columns = {**COLUMNS, word: "string"}
    both = [word, f"upper({word})", f"coalesce({word}, id)", f"{word} || id", f"`{word}` = 'a'", f"trim({word})"]
    theirs = _refused_by_spark(frame.withColumn(word, frame["id"]), both)

    assert [text for text in both if text not in theirs and _problems(text, columns)] == []


def test_an_expression_may_have_lines_and_comments():
    assert _problems("qty -- the number\n  + 1 /* and\none */") == ()


# What is wrong


def test_a_bad_expression_is_explained():
    assert _explained_otherwise(BAD) == {}


def _explained_otherwise(expected: list[tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {
        text: found
        for text, problem in expected
        if not (found := _problems(text)) or not found[0].startswith(problem)
    }


def test_spark_takes_no_bad_expression(frame: DataFrame):
    texts = [text for text, _ in BAD]
    assert len(texts) > 100
    assert sorted(_refused_by_spark(frame, texts)) == sorted(texts)


def test_what_says_nothing_of_one_row_is_refused():
    assert _explained_otherwise(REFUSED) == {}


def test_all_problems_of_an_expression_are_told():
    found = _problems("upper(nam) || uper(address.citty)")

    assert found == (
        "no column nam; did you mean name?",
        "no function uper; did you mean upper?",
        "no field citty in address; did you mean city?",
    )


def test_a_typo_in_any_column_of_a_good_expression_is_found():
    wrong = [misspelt for text in GOOD for misspelt in _misspelt(text)]

    assert len(wrong) > 500
    assert [text for text in wrong if not any("nosuch" in problem for problem in _problems(text))] == []


def _misspelt(text: str) -> list[str]:
    """The expression with one of its columns called otherwise, for each of them."""
    columns = {name.lower() for name in COLUMNS}
    tokens = [] if text in COLUMNS else tokenize(text, read="spark")
    around = zip(["", *(t.text for t in tokens)], tokens, [*(t.text for t in tokens[1:]), ""], strict=False)
    named = [
        token
        for before, token, after in around
        if token.text.lower() in columns and "STRING" not in token.token_type.name and before not in (".", ":") and after != "("
    ]
    return [f"{text[: token.start]}nosuch{text[token.end + 1 :]}" for token in named]


# What it knows of a source


def _source(**changes: Any) -> SourceConfig:
    columns = [{"name": name, "type": kind} for name, kind in COLUMNS.items()]
    content = {"name": "shop", "format": "json", "path": "x", "primary_key": ["id"], "columns": columns, **changes}
    return parse(SourceConfig, content, "shop.yaml")


def test_a_problem_is_told_with_its_key():
    order = {
        "order_id": "idd",
        "ordered_at": "occurred_at",  # a field of the entity, not a column
        "identifiers": {"email": "emial(id)"},
        "campaign": {"name": "address.campaign"},
        "where": "activ",
    }
    event = {"event": "'Seen'", "occurred_at": "seen"}
    source = _source(produces={"order": order, "event": [event, {**event, "properties": {"n": "count(id)"}}]})

    assert [re.split(r";| \(a text", problem)[0] for problem in source_problems(source)] == [
        "produces.event.1.properties.n: count looks at several rows",
        "produces.order.where: no column activ",
        "produces.order.identifiers.email: no function emial",
        "produces.order.order_id: no column idd",
        "produces.order.ordered_at: no column occurred_at",
        "produces.order.campaign.name: no field campaign in address",
    ]


def test_an_exploded_array_stands_for_its_element():
    line = {"explode": "lineItems", "order_id": "id", "product_id": "lineItems.sku", "quantity": "lineItems.qty"}
    source = _source(produces={"order_line": [line, {**line, "quantity": "_position", "amount": "lineItems[0].price"}]})

    assert source_problems(source) == [
        "produces.order_line.0.quantity: no field qty in lineItems; known: price, sku",
    ]


def test_every_expression_of_every_entity_is_looked_at():
    fields = {kind: dict.fromkeys(names, "nosuch") for kind, names in REQUIRED.items()}
    produces: dict[str, Any] = {kind: {**fields[kind], "where": "nosuch"} for kind in FIELD_TYPES}
    produces["consent"] |= {"purpose": "nosuch", "status": "nosuch"}
    found = source_problems(_source(produces=produces))

    keys = {problem.split(":")[0] for problem in found}
    assert keys == {f"produces.{kind}.{name}" for kind, entity in produces.items() for name in entity}


def test_the_problems_of_all_files_are_told_at_once(tmp_path: Path):
    (tmp_path / "sources").mkdir()
    for name in ("a", "b"):
        text = f"name: {name}\nformat: csv\npath: x\ncolumns: [{{name: total}}]\nproduces: {{product: {{product_id: totl}}}}\n"
        (tmp_path / "sources" / f"{name}.yaml").write_text(text)

    with pytest.raises(ConfigError) as caught:
        load_sources(ConfigFolder(tmp_path))

    problem = "produces.product.product_id: no column totl; did you mean total?"
    assert caught.value.problems == tuple(f"{tmp_path}/sources/{name}.yaml: {problem}" for name in ("a", "b"))


# Drawn at random

_TEXTS = st.deferred(lambda: _texts)
_NUMBERS = st.deferred(lambda: _numbers)
_TRUTHS = st.deferred(lambda: _truths)
_LISTS = st.deferred(lambda: _lists)


def _of(template: str, **parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.fixed_dictionaries(parts).map(lambda drawn: template.format(**drawn))


_texts = st.one_of(
    st.sampled_from(["name", "NAME", "`first name`", "address.city", "attrs['a']", "'it''s'", '"x"', "größe", "order", "_file"]),
    _of("upper({a})", a=_TEXTS),
    _of("{a} || {b}", a=_TEXTS, b=_TEXTS),
    _of("coalesce({a}, {b}, {c})", a=_TEXTS, b=_TEXTS, c=_TEXTS),
    _of("case when {t} then {a} else {b} end", t=_TRUTHS, a=_TEXTS, b=_TEXTS),
    _of("substring({a} from {n})", a=_TEXTS, n=_NUMBERS),
    _of("trim(both {a} from {b})", a=_TEXTS, b=_TEXTS),
    _of("({n})::string", n=_NUMBERS),
    _of("array_join({m}, /* between */ {a})", m=_LISTS, a=_TEXTS),
    _of("({m})[0]", m=_LISTS),
)
_numbers = st.one_of(
    st.sampled_from(["qty", "1", "-1", "length(id)", "items[0].quantity", "1 + 1", "_position", "cardinality(items.sku)"]),
    _of("({a}) {o} ({b})", a=_NUMBERS, b=_NUMBERS, o=st.sampled_from(["+", "-", "*", "%", "div", "&", "|", "^", ">>"])),
    _of("if({t}, {a}, {b})", t=_TRUTHS, a=_NUMBERS, b=_NUMBERS),
    _of("try_cast({a} as int)", a=_TEXTS),
    _of("aggregate({m}, 0, (acc, x) -> acc + length(x))", m=_LISTS),
)
_truths = st.one_of(
    st.sampled_from(["active", "true", "not active", "born < date'2026-01-01'", "seen is not null"]),
    _of("({a}) {o} ({b})", a=_TEXTS, b=_TEXTS, o=st.sampled_from(["=", "<>", "<=>", "like", "rlike", "is distinct from"])),
    _of("({a}) {o} ({b})", a=_TRUTHS, b=_TRUTHS, o=st.sampled_from(["and", "OR"])),
    _of("({a}) in ({b}, {c})", a=_TEXTS, b=_TEXTS, c=_TEXTS),
    _of("({a}) not between {b} and 9", a=_NUMBERS, b=_NUMBERS),
    _of("exists({m}, x -> x = ({a}))", m=_LISTS, a=_TEXTS),
)
_lists = st.one_of(
    st.sampled_from(["tags", "items.sku", "map_keys(attrs)", "transform(items, i -> i.sku)"]),
    _of("array({a}, {b})", a=_TEXTS, b=_TEXTS),
    _of("filter({m}, (x, i) -> i > {n} and x <> {a})", m=_LISTS, n=_NUMBERS, a=_TEXTS),
    _of("split({a}, ',')", a=_TEXTS),
)
_SLOW = settings(max_examples=10, derandomize=True, suppress_health_check=list(HealthCheck))


@_SLOW
@given(st.lists(_texts, min_size=20, max_size=20))
def test_what_is_built_of_good_parts_passes_here_and_there(frame: DataFrame, texts: list[str]):
    assert _refused_by_spark(frame, texts) == []
    assert [text for text in texts if _problems(text)] == []


@_SLOW
@given(st.data())
def test_what_is_refused_here_is_refused_there(frame: DataFrame, data: st.DataObject):
    """Good expressions with a word taken away, doubled or replaced: no false alarm."""
    broken = [data.draw(_broken(text)) for text in data.draw(st.lists(st.sampled_from(GOOD), min_size=20, max_size=20))]
    refused = [text for text in broken if any("looks at several rows" not in p and "changes from" not in p for p in _problems(text))]

    assert sorted(_refused_by_spark(frame, refused)) == sorted(refused)


@st.composite
def _broken(draw: st.DrawFn, text: str) -> str:
    words = re.findall(r"\w+|\s+|'[^']*'|[^\w\s]", text)
    place = draw(st.integers(0, len(words) - 1))
    other = draw(st.sampled_from([*words, "name", "qty", "(", ")", ",", ".", "'x'", "1", "not", "is", "as", "end", "in", "-", "::"]))
    change = draw(st.sampled_from([[], [words[place]] * 2, [other], [words[place], " ", other]]))
    return "".join([*words[:place], *change, *words[place + 1 :]])


@settings(max_examples=300)
@given(st.text())
def test_any_text_gets_an_answer(text: str):
    assert isinstance(_problems(text), tuple)


def test_deep_nesting_is_left_to_spark():
    assert _problems("(" * 5000 + "nosuch" + ")" * 5000) == ()


# What is known of Spark


def test_the_list_of_functions_is_sparks(spark: SparkSession):
    """After an upgrade of Spark, write the lines that this finds into `spark_functions.txt`."""
    file = PROJECT / "lib" / "cdp" / "bronze" / "spark_functions.txt"

    assert file.read_text(encoding="utf-8").splitlines() == list(_described(spark))


def test_functions_that_change_from_run_to_run_are_known(spark: SparkSession):
    unrepeatable = {line.split()[0] for line, is_repeatable in _described(spark).items() if not is_repeatable}

    assert unrepeatable - UNREPEATABLE == set()
    assert set(functions()) >= UNREPEATABLE


@cache
def _described(spark: SparkSession) -> dict[str, bool]:
    """A line for each built-in function that gives a value, and whether one row always gives the same."""
    jvm: Any = spark._jvm
    catalyst, to_seq = jvm.org.apache.spark.sql.catalyst, jvm.org.apache.spark.api.python.PythonUtils.toSeq
    registry = catalyst.analysis.FunctionRegistry.builtin()
    null = catalyst.expressions.Literal.create(None, jvm.org.apache.spark.sql.types.DataTypes.NullType)
    arguments = [to_seq([null] * count) for count in range(10)]
    generator = jvm.java.lang.Class.forName("org.apache.spark.sql.catalyst.expressions.Generator")
    kinds = {"agg_funcs": "aggregate", "window_funcs": "window", "generator_funcs": "generator"}
    described = {}

    def call(name: Any, count: int) -> Any:
        try:
            return registry.lookupFunction(name, arguments[count])
        except PySparkException as error:
            return error

    def refused(outcome: Any) -> bool:
        condition = (outcome.getCondition() or "") if isinstance(outcome, PySparkException) else ""
        return condition.startswith(("WRONG_NUM_ARGS", "REQUIRED_PARAMETER_NOT_FOUND"))

    for info in jvm.org.apache.spark.sql.api.python.PythonSQLUtils.listBuiltinFunctionInfos():
        identifier, kind = catalyst.FunctionIdentifier(info.getName()), kinds.get(info.getGroup(), "")
        least = next((count for count in range(9) if not refused(call(identifier, count))), 9)
        outcome = call(identifier, min(least, 9))
        failed = isinstance(outcome, PySparkException)
        if not info.getName().isidentifier() or least == 9 or (failed and outcome.getCondition() == "UNRESOLVED_ROUTINE"):
            continue  # an operator, a table, or a word with a grammar of its own
        most = least
        while most < 9:
            following = call(identifier, most + 1)
            # Some take 2 or 6 arguments, but nothing between.
            said = (following.getMessageParameters() or {}).get("expectedNum", "") if refused(following) else ""
            further = max([int(number) for number in re.findall(r"\d+", said)], default=0)
            if refused(following) and further <= most + 1:
                break
            most = max(most + 1, further)
        if not failed and generator.isInstance(outcome):
            kind = "generator"
        line = f"{info.getName()} {kind or f'{least} ' + ('*' if most >= 9 else str(most))}"
        described[line] = failed or bool(kind) or outcome.deterministic()
    return dict(sorted(described.items()))
