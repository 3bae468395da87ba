"""Who is one person, by identifiers, and who is kept apart; under ids that last."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from cdp.base.errors import ConfigError
from cdp.base.stage import Run
from cdp.identity.rules import load_rules
from cdp.identity.run import load_settings, resolve
from cdp.tables.identity import ASSIGNMENTS, AUDIT, CHANGES, LINKS
from tests.identity.conftest import START, activity, clusters, person


def test_identifiers_link_and_names_and_placeholders_keep_apart(silver, customers, run: Run):
    silver(
        # one person in three sources, by e-mail and by phone
        person("crm:1", "Ann", emails=["ann@x.org"], phones=["+33612345678"]),
        person("shop:7", "ann", emails=["ann@x.org"]),
        person("pos:3", phones=["+33612345678"]),
        # a family's address
        person("crm:2", "Bob", family="Smith", emails=["family@x.org"]),
        person("shop:2", "Robert", emails=["family@x.org"]),
        person("crm:3", "Eve", emails=["family@x.org"]),
        # placeholders link nobody
        person("crm:4", "Karl", emails=["na@na.com"]),
        person("crm:5", "Karl", emails=["na@na.com"]),
        # a browser brings its history to the one who logged in
        activity("web:a", anonymous_id="cookie-1"),
        activity("web:b", anonymous_id="cookie-1", email="ann@x.org"),
        # a browser that two people use joins neither
        activity("web:c", anonymous_id="cookie-2", email="ann@x.org"),
        activity("web:d", anonymous_id="cookie-2", email="dora@x.org"),
        activity("web:e", anonymous_id="cookie-2"),
        # what came after the run's date is not there yet
        person("shop:8", "Ann", emails=["ann@x.org"], at=datetime(2026, 2, 1)),
        activity("web:f", at=datetime(2026, 2, 1), email="ann@x.org"),
        activity("web:g", at=START, email="ann@x.org"),
    )

    assert customers() == [
        {"crm:1", "shop:7", "pos:3", "web:a", "web:b", "web:c", "web:g"},
        {"crm:2", "shop:2"},
        {"crm:3"},
        {"crm:4"},
        {"crm:5"},
        {"web:d"},
        {"web:e"},
    ]
    told = {(r["kind"], r["id_type"]): r["records"] for r in run.lake.read(AUDIT).collect()}
    assert told == {
        ("blocked_value", "email"): 2,
        ("refused_link", "email"): 3,
        ("ambiguous_identifier", "anonymous_id"): 3,
    }
    decided = {r["decision"] for r in run.lake.read(LINKS).where("rule = 'email'").collect()}
    assert decided == {"accepted", "refused"}


def test_people_whose_names_are_in_their_own_script_share_an_address_and_stay_apart(silver, customers, run: Run):
    silver(
        person("crm:1", "Иван", family="Петров", emails=["ivan@x.org"], phones=["+33612345678"]),
        person("shop:1", "Ivan", family="Petrov", emails=["ivan@x.org"]),
        person("crm:2", "Мария", family="Петрова", phones=["+33612345678"]),
        person("crm:3", "伟", family="王", emails=["wang@x.org"]),
        person("crm:4", "秀英", family="王", emails=["wang@x.org"]),
        person("shop:4", "秀英", family="王", emails=["wang@x.org"]),
    )

    assert customers() == [{"crm:1", "shop:1"}, {"crm:2"}, {"crm:3"}, {"crm:4", "shop:4"}]


def test_limits_of_the_configuration_and_the_stewards_rules_win(silver, customers, run: Run):
    (run.config.path / "identity.yaml").write_text("id_types: [{name: card_no, unique: true}]\nmax_cluster_size: 3\n")
    (run.config.path / "identity_rules.csv").write_text(
        "action,left,right,reason,author\n"
        "never_link,crm|3,shop|3,two people,steward\n"
        "always_link,crm|4,email=old@x.org,moved,steward\n"
        "block,email=office@x.org,,everybody's,steward\n"
    )
    silver(
        # one e-mail, but two cards, of which one person has one
        person("crm:1", "Ann", emails=["ann@x.org"], ids={"card_no": "A"}),
        person("shop:1", "Ann", emails=["ann@x.org"], ids={"card_no": "B"}),
        # more records than one person may have
        *(person(f"crm:many{n}", "Max", emails=["max@x.org"]) for n in range(4)),
        person("crm:3", "Eve", emails=["eve@x.org"]),
        person("shop:3", "Eve", emails=["eve@x.org"]),
        person("crm:4", "Kim", emails=["new@x.org"]),
        person("shop:4", "Kim", emails=["old@x.org"]),
        person("crm:5", "Lee", emails=["office@x.org"]),
        person("shop:5", "Lee", emails=["office@x.org"]),
    )

    found = customers()

    assert [c for c in found if c & {"crm:1", "shop:1"}] == [{"crm:1"}, {"shop:1"}]
    assert sorted(len(c) for c in found if any("many" in key for key in c)) == [1, 3]
    assert {"crm:3"} in found and {"shop:3"} in found
    assert {"crm:4", "shop:4"} in found
    assert {"crm:5"} in found and {"shop:5"} in found


def test_who_could_be_either_of_two_people_is_left_to_the_steward(silver, customers, run: Run):
    home = {"family": "Smith", "street": "3212 w 32nd st", "city": "palm harbor", "postal_code": "60527"}
    silver(
        person("crm:1", "John", born="1970-10-10", **home),
        person("crm:2", "John", born="1992-03-05", **home),
        person("shop:3", "John", **home),
        person("shop:4", "John", **home),
    )

    assert customers() == [{"crm:1"}, {"crm:2"}, {"shop:3", "shop:4"}]
    told = {(r["left_record_key"], r["right_record_key"]): r for r in run.lake.read(LINKS).where("rule = 'comparison'").collect()}
    assert told["1", "2"]["decision"] != "accepted"
    assert {told[key]["decision"] for key in (("1", "3"), ("2", "4"))} == {"review"}
    assert told["1", "3"]["reason"] == "alike, but one of them is as much like another person"
    assert told["3", "4"]["decision"] == "accepted"


def test_a_source_known_to_hold_no_duplicates_has_each_person_once(silver, customers, run: Run):
    (run.config.path / "identity.yaml").write_text("one_record_per_source: [crm, shop]\n")
    home = {"family": "Smith", "street": "3212 w 32nd st", "city": "palm harbor", "postal_code": "60527", "born": "1970-10-10"}
    silver(
        person("crm:1", "John", **home),
        person("crm:2", "John", **home),
        person("leads:3", "Mary", **home),
        person("leads:4", "Mary", **home),
        person("crm:5", "Abigail", **home),
        person("shop:6", "Abigail", **home),
    )

    assert customers() == [{"crm:1"}, {"crm:2"}, {"crm:5", "shop:6"}, {"leads:3", "leads:4"}]


def test_an_id_lasts_through_growing_merging_and_running_again(silver, run: Run):
    silver(person("crm:1", "Ann", emails=["ann@x.org"]), person("shop:2", "Ann", emails=["mueller.a@web.example"]))
    resolve(run)
    first = _ids(run)
    versions = [run.lake.version(t) for t in (ASSIGNMENTS, CHANGES)]

    resolve(replace(run, run_id="again"))
    assert _ids(run) == first
    assert [run.lake.version(t) for t in (ASSIGNMENTS, CHANGES)] == versions

    # a third record knows both addresses; the rows in another order
    later = replace(run, run_id="later", as_of=run.as_of + timedelta(days=1))
    silver(
        person("pos:3", "Ann", emails=["ann@x.org", "mueller.a@web.example"]),
        person("shop:2", "Ann", emails=["mueller.a@web.example"]),
        person("crm:1", "Ann", emails=["ann@x.org"]),
    )
    preview = resolve(replace(later, dry_run=True))
    assert "would create 0 customers, merge 1 into others, split 0" in "\n".join(preview.notes)
    assert _ids(run) == first
    resolve(later)

    assert len(clusters(later)) == 1
    kept = set(_ids(run).values())
    assert len(kept) == 1 and kept < set(first.values())
    told = {(r["change"], r["customer_id"]) for r in run.lake.read(CHANGES).where("run_id = 'later'").collect()}
    assert ("merged", *kept) in told

    # without any memory the same records found the same ids
    run.lake.delete(ASSIGNMENTS, "true")
    run.lake.delete(CHANGES, "true")
    silver(person("shop:2", "Ann", emails=["mueller.a@web.example"]), person("crm:1", "Ann", emails=["ann@x.org"]))
    resolve(run)
    assert _ids(run) == first


def test_a_run_says_which_fields_it_did_not_compare(silver, run: Run):
    (run.config.path / "identity.yaml").write_text("comparisons: [{column: attributes.plate, kind: code}]")
    home = {"street": "1 market square", "city": "springfield", "postal_code": "10000", "family": "Smith"}
    codes = [{f"code_{n}": f"{who}{n}" for n in range(9)} for who in "abc"]
    silver(*(person(f"crm:{n}", "Ann", born="1970-10-10", emails=[f"{n}@x.org"], ids=ids, **home) for n, ids in enumerate(codes)))

    notes = resolve(run).notes

    assert [note.split(";")[0] for note in notes if "not compared" in note] == ["not compared: city", "not compared: attributes.plate"]


def test_what_thousands_share_makes_no_pairs_and_no_merge(silver, customers, run: Run):
    home = {"street": "1 market square", "city": "springfield", "postal_code": "10000"}
    letters = "abcdefghijklmnopqrstuvwxyz"
    name = [a + b + c for a in letters for b in letters[:10] for c in "aeiouy"]
    silver(
        *(person(f"list:{n}", "Test", family="Test") for n in range(900)),  # a placeholder of a name, and nothing else
        *(person(f"mail:{n}", name[n], family=name[-n], emails=["all@x.org"]) for n in range(900)),
        *(person(f"home:{n}", name[n] * 2, family=name[-n] * 2, **home) for n in range(900)),
        person("long:1", "Ann", ids={"token": "x" * 10_000}),
        person("long:2", "Bob", ids={"token": "x" * 10_000}),
    )

    found = customers()

    assert max(len(cluster) for cluster in found) == 1
    told = {(r["kind"], r["id_type"]): r["records"] for r in run.lake.read(AUDIT).collect()}
    assert told["blocked_value", "email"] == 900 and told["blocked_value", "token"] == 2


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("action,left,right\nblock,crm|1,\n", "reason: column missing"),
        ("action,left,right,reason\nlink,crm|1,crm|2,x\n", "line 2: action: wanted one of always_link"),
        ("action,left,right,reason\nalways_link,crm|1,crm|1,x\n", "left and right are the same"),
        ("action,left,right,reason\nblock,anna@example.com,,x\n", "left: wanted source|record_key or id_type=value"),
        (
            "action,left,right,reason\nalways_link,crm|1,crm|2,x\nnever_link,crm|2,crm|1,y\n",
            "identity_rules.csv line 3: never_link of two that always_link makes one",
        ),
        (
            "action,left,right,reason\nalways_link,crm|1,crm|2,x\nalways_link,crm|2,crm|3,x\nnever_link,crm|3,crm|1,y\n",
            "identity_rules.csv line 4: never_link of two that always_link makes one",
        ),
    ],
)
def test_a_wrong_rule_is_named_by_its_line_and_never_by_its_value(tmp_path: Path, text: str, problem: str):
    (tmp_path / "identity_rules.csv").write_text(text)

    with pytest.raises(ConfigError) as error:
        load_rules(tmp_path)

    assert problem in str(error.value)
    assert "anna@example.com" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("blocking: [[city_phonetic, birth_date]]", "city_phonetic is no piece of a field of kind text; wanted city, city_prefix"),
        ("blocking: [[given_nam]]", "given_nam is no field of a customer record"),
        ("blocking: [[attributes.tax_no]]", "attributes.tax_no is not compared"),
        ("blocking: [[city, birth_date], [birth_date, city]]", "blocking: the rule of birth_date and city is there twice"),
        ("blocking: [[city, birth_date, city]]", "blocking: city is there twice in one rule"),
        (f"blocking: {[[f'attributes.a{n}'] for n in range(63)]}", "blocking: wanted at most 62 rules, found 63"),
        ("comparisons: [{column: tax_no, kind: code}]", "tax_no is no field of a customer record"),
        ("link_threshold: 1.5", "wanted auto or a probability from 0 to 1, found 1.5"),
    ],
)
def test_a_wrong_comparison_is_named(run: Run, text: str, problem: str):
    (run.config.path / "identity.yaml").write_text(text)

    with pytest.raises(ConfigError) as error:
        load_settings(run.config)

    assert problem in str(error.value)


def test_a_comparison_of_what_no_source_maps_is_named(run: Run):
    (run.config.path / "sources").mkdir()
    (run.config.path / "sources" / "crm.yaml").write_text(
        "name: crm\nformat: csv\npath: crm/*.csv\nprimary_key: [id]\ncolumns: [{name: id}, {name: tax}]\n"
        "produces: {customer_record: {full_name: id, attributes: {tax_no: tax}}}\n"
    )
    comparisons = "comparisons: [{column: attributes.tax_nr, kind: code}, {column: attributes.tax_no, kind: code}, {column: family_name, kind: text}]"
    (run.config.path / "identity.yaml").write_text(comparisons)

    with pytest.raises(ConfigError) as error:
        load_settings(run.config)

    assert "comparisons: attributes.tax_nr: no source maps it; did you mean attributes.tax_no?" in str(error.value)
    assert "family_name" not in str(error.value) and str(error.value).count("no source maps") == 1


def _ids(run: Run) -> dict[tuple[str, str], str]:
    rows = run.lake.read(ASSIGNMENTS).where("is_current").collect()
    return {(r["source"], r["record_key"]): r["customer_id"] for r in rows}
