"""Why two records are one person, read from the tables without Spark."""

from io import StringIO
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from rich.console import Console

from cdp.base.errors import UsageError
from cdp.base.lake import Lake
from cdp.identity.explain import explain_customer, explain_pair, steps
from cdp.identity.pictures import evidence_picture
from cdp.identity.run import resolve
from cdp.identity.show import show
from tests.conftest import empty_run
from tests.identity.conftest import person, write_silver


@pytest.fixture(scope="module")
def lake(spark: SparkSession, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("explain")
    run = empty_run(Lake(spark, str(folder / "lake")), folder)
    home = {"street": "12 main street", "city": "springfield", "postal_code": "75011"}
    write_silver(
        run,
        # linked by an address, and alike without one
        person("crm:1", "Anna", family="Zimmermann", born="1980-03-07", emails=["anna@x.org"], **home),
        person("shop:1", "Anna", family="Zimmermann", emails=["anna@x.org"]),
        person("pos:1", "Ana", family="Zimmermann", born="1980-03-07", **home),
        # a family's address: two people
        person("crm:2", "Otto", family="Zimmermann", born="1978-11-21", emails=["home@x.org"], **home),
        person("crm:3", "Eve", family="Zimmermann", born="2001-05-14", emails=["home@x.org"], **home),
        person("web:9", "Karl", family="Ypsilanti", born="1955-01-30"),
    )
    resolve(run)
    return Path(run.lake.root)


def printed(found) -> str:
    console = Console(width=200, record=True, file=StringIO())
    show(found, console, show_pii=False)
    return console.export_text()


def test_a_right_link_is_shown_with_what_speaks_for_it(lake: Path, tmp_path: Path):
    found = explain_pair(lake, ("crm", "1"), ("pos", "1"))

    assert found.is_one
    (compared,) = [link for link in found.links if link.evidence]
    assert compared.decision == "accepted"
    assert sum(bits for _, bits in compared.evidence) == pytest.approx(compared.weight, abs=0.05)
    names = [name for name, _, _ in steps(compared)]
    assert names[0] == "prior" and "birth_date: equal" in names and "given_name: nearly equal" in names
    text = printed(found)
    assert "These records are one customer" in text and "birth_date: equal" in text
    assert "Zimmermann" not in text and "Zi********" in text
    evidence_picture(compared).savefig(tmp_path / "why.svg")
    assert "birth_date: equal" in (tmp_path / "why.svg").read_text()


def test_a_chain_leads_from_one_record_to_the_other(lake: Path):
    found = explain_pair(lake, ("pos", "1"), ("shop", "1"))

    assert found.is_one
    ends = [{link.left, link.right} for link in found.chain]
    assert ("pos", "1") in ends[0] and ("shop", "1") in ends[-1]


def test_a_refused_link_says_why(lake: Path):
    found = explain_pair(lake, ("crm", "2"), ("crm", "3"))

    assert not found.is_one and not found.chain
    assert {(link.rule, link.decision) for link in found.links} >= {("email", "refused")}
    assert "These records are two customers" in printed(found)


def test_records_that_have_nothing_to_do_with_each_other(lake: Path):
    found = explain_pair(lake, ("crm", "1"), ("web", "9"))

    assert not found.is_one and not found.links
    assert "No link between them" in printed(found)
    assert found.met == () and "they were never compared" in printed(found)
    compared = explain_pair(lake, ("crm", "1"), ("pos", "1"))
    assert compared.met and any("birth_date" in rule for rule in compared.met)


def test_a_customer_is_shown_by_the_links_that_suffice(lake: Path):
    customer = explain_pair(lake, ("crm", "1"), ("shop", "1")).records["crm", "1"]["customer_id"]

    found = explain_customer(lake, customer)

    assert set(found.records) == {("crm", "1"), ("shop", "1"), ("pos", "1")}
    assert len(found.chain) == 2
    assert found.chain[0].rule == "email"


def test_who_is_not_there_is_said_in_one_line(lake: Path, tmp_path: Path):
    with pytest.raises(UsageError, match="no such record"):
        explain_pair(lake, ("crm", "1"), ("crm", "nobody"))
    with pytest.raises(UsageError, match="no customer has this id"):
        explain_customer(lake, "c0")
    with pytest.raises(UsageError, match=r"found no table identity\.assignments"):
        explain_customer(tmp_path, "c0")
