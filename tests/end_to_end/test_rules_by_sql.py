"""Each operator and kind of condition of segments on the sample retailer, beside SQL that somebody would write by hand for it."""

from datetime import date
from pathlib import Path

from cdp.tables import gold
from tests.end_to_end.conftest import AS_OF, Retailer
from tests.segments import by_sql
from tests.segments.judged import Rules

SOURCES = {
    "profile": gold.PROFILES, "traits": gold.TRAITS, "predictions": gold.PREDICTIONS, "consent": gold.EFFECTIVE_CONSENT,
    "household": gold.HOUSEHOLDS, "timeline": gold.TIMELINE, "lines": gold.CUSTOMER_ORDER_LINES,
    "identifiers": gold.CUSTOMER_IDENTIFIERS, "history": gold.SEGMENT_HISTORY, "keys": gold.LOOKUP_KEYS,
}  # fmt: skip


def test_every_operator_and_condition_type_agrees_with_sql_on_the_sample(retailer: Retailer, tmp_path: Path):
    lake, as_of = retailer.lake, date.fromisoformat(AS_OF)
    tables = {source: lake.read(table) for source, table in SOURCES.items()}
    emails = "SELECT customer_id FROM identifiers WHERE id_type = 'email' AND id_value LIKE 'a%'"
    listed = [
        row[0]
        for row in tables["identifiers"]
        .where("id_type = 'email' AND id_value LIKE 'a%'")
        .select("id_value")
        .distinct()
        .collect()
    ]
    (tmp_path / "some.csv").write_text("\n".join(["email", *(email.upper() for email in listed)]), encoding="utf-8")
    more = {"type": "List", "file": "some.csv", "identifier": "email"}
    rules = Rules.of(by_sql.all_rules(as_of, more), tmp_path, for_everybody=True)

    wrong, sizes = by_sql.differing(tables, rules, [emails], as_of)

    assert not wrong, "\n".join(wrong)
    people = tables["profile"].count()
    assert sum(0 < size < people for size in sizes) > 0.8 * len(sizes), sizes
