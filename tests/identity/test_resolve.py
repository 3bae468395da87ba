"""Who is one person, by identifiers, and who is kept apart."""

from tests.identity.conftest import person


def test_one_email_links_records_of_two_sources(silver, customers):
    silver(
        person("crm:1", "Ann", emails=["ann@x.org"]),
        person("shop:7", "ann", emails=["ann@x.org"]),
        person("crm:2", "Bob", emails=["bob@x.org"]),
    )
    assert customers() == [{"crm:1", "shop:7"}, {"crm:2"}]
