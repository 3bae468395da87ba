"""What a wrong traits.yaml says, and what a right one comes to."""

from pathlib import Path

import pytest

from cdp.base.errors import ConfigError
from cdp.base.settings import ConfigFolder
from cdp.gold.computed.columns import traits_table
from cdp.gold.computed.load import load_traits
from cdp.gold.computed.sql import levels

VIEWS = "type: event_counter, event: Product Viewed"
PRICE = "property: properties.price"


def folder(tmp_path: Path, *traits: str) -> ConfigFolder:
    (tmp_path / "traits.yaml").write_text("traits:\n" + "".join(f"  - {t}\n" for t in traits), encoding="utf-8")
    return ConfigFolder(tmp_path)


@pytest.mark.parametrize(
    ("trait", "wanted"),
    [
        (f"{{name: Views, {VIEWS}}}", "traits.0.name: string should match pattern"),
        (f"{{name: orders, {VIEWS}}}", "traits: orders is a built-in column of gold.traits; wanted another name"),
        ("{name: a, type: counter}", "traits.0: wanted keys and values with a type: event_counter, aggregation"),
        (f"{{name: a, {VIEWS}, window: {{days: 0}}}}", "traits.0.window.days: input should be greater than or equal to 1"),
        (f"{{name: a, {VIEWS}, window: {{days: 1, weeks: 2}}}}", "wanted one unit, e.g. {days: 30}, or from and to"),
        (f"{{name: a, {VIEWS}, window: {{from: {{days: 7}}}}}}", "wanted from and to together, and no unit beside them"),
        (f"{{name: a, {VIEWS}, window: {{from: {{days: 7}}, to: {{days: 9}}}}}}", "from is not longer ago than to, on each day of the year"),
        (f"{{name: a, {VIEWS}, window: {{from: {{months: 1}}, to: {{days: 30}}}}}}", "from is not longer ago than to, on each day of the year"),
        (f"{{name: a, {VIEWS}, window: {{days: 1000000000}}}}", "window.days: input should be less than or equal to 36500"),
        ("{name: a, type: event_counter, event: []}", "traits.0.event: value should have at least 1 item"),
        ("{name: a, type: event_counter, event: ''}", "event.0: string should have at least 1 character"),
        ("a", "traits.0: wanted keys and values with a type"),
        (f"{{name: a, {VIEWS}, from: orders}}", "event: orders has none; leave it out, or leave out from"),
        (f"{{name: a, {VIEWS}, evnt: b}}", "traits.0.evnt: unknown key; did you mean event?"),
        ("{name: a, type: first, property: chanel}", "traits.0 (a): property: unknown column chanel; did you mean channel?"),
        ("{name: a, type: first, from: orders, property: campaign}", "property: unknown column campaign; did you mean campaign."),
        ("{name: a, type: aggregation, aggregation: sum, property: channel}", "property: channel is a text; sum wants a number"),
        (f"{{name: a, type: aggregation, aggregation: median, {PRICE}}}", "aggregation: input should be 'sum', 'avg', 'min' or 'max'"),
        ("{name: a, type: first, property: amount, value_type: number}", "value_type: amount is a number already; leave it out"),
        (
            f"{{name: a, {VIEWS}, filter: {{type: And, conditions: [{{type: Column, column: prperties.x, operator: {{type: IsNull}}}}]}}}}",
            "traits.0 (a): filter.conditions.0.column: UNKNOWN_ATTRIBUTE: unknown column prperties.x",
        ),
        (
            f"{{name: a, {VIEWS}, filter: {{type: And, conditions: [{{type: Column, column: channel, operator: {{type: Less, value: 3}}}}]}}}}",
            "filter.conditions.0.operator.type: INVALID_OPERATOR_TYPE: Less does not go with channel, which is a text",
        ),
        ("{name: a, type: sql, value_type: number}", "wanted expression or query"),
        ("{name: a, type: sql, value_type: number, expression: margn / revenue}", "expression: no column margn; did you mean margin?"),
        ("{name: a, type: sql, value_type: number, expression: 'datediff(current_date, last_order_at)'}", "current_date changes from run to run"),
        ("{name: a, type: sql, value_type: number, query: 'SELECT customer_id, 1 AS value FROM order'}", "query: no table order; did you mean orders?"),
        ("{name: a, type: sql, value_type: number, query: 'SELECT customer_id, count(*) FROM orders GROUP BY 1'}", "query: it has no column value"),
        ("{name: a, type: sql, value_type: number, query: 'DROP TABLE orders'}", "query: found DROP, wanted one SELECT"),
        ("{name: a, type: sql, value_type: number, query: 'SELECT customer_id, rand() AS value FROM orders'}", "rand changes from run to run"),
        ("{name: a, type: sql, value_type: number, query: 'SELECT ('}", "query: not a SQL query"),
        ("{name: a, type: sql, value_type: number, query: 'SELECT customer_id, 1 AS value FROM parquet.`/etc/x`'}", "query: no table parquet.`/etc/x`"),
        ("{name: a, type: sql, value_type: time, query: 'SELECT customer_id, localtimestamp AS value FROM orders'}", "localtimestamp changes from run to run"),
        ("{name: a, type: sql, value_type: date, query: \"SELECT customer_id, date 'today' AS value FROM orders\"}", "'today' changes from run to run"),
        ("{name: a, type: sql, value_type: number, query: 'SELECT customer_id, 1 AS value FROM orders TABLESAMPLE (10 PERCENT)'}", "TABLESAMPLE and VERSION are refused"),
        ("{name: a, type: sql, value_type: text, expression: _file}", "expression: no column _file"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_key(tmp_path: Path, trait: str, wanted: str) -> None:
    with pytest.raises(ConfigError) as error:
        load_traits(folder(tmp_path, trait))
    assert wanted.lower() in "\n".join(error.value.problems).lower(), error.value.problems


def test_two_traits_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a is the name of two traits"):
        load_traits(folder(tmp_path, f"{{name: a, {VIEWS}}}", f"{{name: a, {VIEWS}}}"))


def test_each_trait_becomes_a_column_of_its_own_type(tmp_path: Path) -> None:
    config = load_traits(
        folder(
            tmp_path,
            f"{{name: views, {VIEWS}, description: Products viewed}}",
            f"{{name: spent, type: aggregation, aggregation: sum, {PRICE}}}",
            "{name: dearest, type: aggregation, aggregation: max, property: amount, from: orders}",
            "{name: lines, type: aggregation, aggregation: avg, property: line_no, from: order_lines}",
            "{name: began, type: aggregation, aggregation: min, property: occurred_at}",
            f"{{name: price, type: last, {PRICE}, value_type: number}}",
            "{name: shops, type: unique_list, property: store_id, from: orders, pii: true}",
            "{name: half, type: sql, value_type: money, expression: dearest / 2}",
            "{name: liked, type: most_frequent, property: properties.brand}",
        )
    )
    own = {c.name: (c.type, c.nullable, c.pii, c.description) for c in traits_table(config).columns[-9:]}
    assert own == {
        "views": ("bigint", False, False, "Products viewed"),
        "spent": ("double", False, False, "a trait of traits.yaml"),
        "dearest": ("decimal(18,2)", True, False, "a trait of traits.yaml"),
        "lines": ("double", True, False, "a trait of traits.yaml"),
        "began": ("timestamp", True, False, "a trait of traits.yaml"),
        "price": ("double", True, False, "a trait of traits.yaml"),
        "shops": ("array<string>", True, True, "a trait of traits.yaml"),
        "half": ("decimal(18,2)", True, False, "a trait of traits.yaml"),
        "liked": ("string", True, True, "a trait of traits.yaml"),  # a property may hold anything
    }


def test_expressions_come_after_those_they_name(tmp_path: Path) -> None:
    config = load_traits(
        folder(
            tmp_path,
            "{name: a, type: sql, value_type: number, expression: orders + 1}",
            "{name: b, type: sql, value_type: number, expression: a * 2}",
            "{name: c, type: sql, value_type: number, expression: revenue}",
        )
    )
    assert [[t.name for t in level] for level in levels(config.expressions)] == [["a", "c"], ["b"]]
    with pytest.raises(ConfigError, match="no column b"):  # what stands further down is not there yet
        load_traits(
            folder(
                tmp_path,
                "{name: a, type: sql, value_type: number, expression: b + 1}",
                "{name: b, type: sql, value_type: number, expression: orders}",
            )
        )
