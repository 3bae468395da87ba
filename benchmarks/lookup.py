"""How long it takes to find a person, by each way of asking, in a lake of made-up customers.

    python benchmarks/lookup.py [--customers 1000000] [--lake FOLDER] [--lookups 200]

Makes the tables with Spark through the project's own `Lake` and index, so that they lie as the stages write them (some
minutes; a folder that has them is used as it is). Then asks as the running server does, without Spark: find, and read all
that a page shows. Last the command from a cold start. On a machine that does other things too look at the CPU: the mean of all
cores together, so that an idle machine of two takes little more than half of it.
"""

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT / "lib"))

BYTES_A_CUSTOMER = 3_000
"""Of a whole lake, bronze to gold, for the number of partitions that the session would have."""

# Names as unevenly common as real ones: the commonest family name is that of one in a hundred.
PEOPLE = """
SELECT *,
  element_at(given_names, 1 + int(size(given_names) * pow(pmod(hash(id, 1), 1000000) / 1e6, 2))) AS given,
  element_at(family_names, 1 + int(size(family_names) * pow(pmod(hash(id, 2), 1000000) / 1e6, 2))) AS family,
  concat('person', id, '@mail', pmod(id, 50), '.example') AS email,
  concat('+336', lpad(id, 8, '0')) AS phone,
  timestampadd(DAY, -pmod(hash(id, 3), 700), timestamp'2026-01-01') AS at
FROM numbered
"""
TABLES = {
    "PROFILES": "SELECT *, concat(given, ' ', family) AS full_name, given AS given_name, family AS family_name, 'Paris' AS city,"
    " array(email) AS emails, array(phone) AS phones, at AS first_seen_at, at AS last_seen_at FROM people",
    "CUSTOMER_IDENTIFIERS": "SELECT *, at AS first_seen_at, at AS last_seen_at, stack(5, 'email', email, 'phone', phone, 'loyalty_id',"
    " concat('29', lpad(id, 9, '0')), 'anonymous_id', sha2(string(id), 224), 'crm_id', string(id + 500)) AS (id_type, id_value) FROM people",
    "CUSTOMER_ORDERS": "SELECT *, 'shop' AS source, concat('o', id, '-', n) AS order_id, at AS ordered_at, 'completed' AS status"
    " FROM people LATERAL VIEW explode(sequence(1, int(1 + pmod(hash(id, 7), 3)))) AS n",
    "CUSTOMER_ORDER_LINES": "SELECT *, 'shop' AS source, concat('o', id, '-', 1 + pmod(n, 2)) AS order_id, n AS line_no, at AS ordered_at,"
    " concat('P', pmod(hash(id, n), 5000)) AS product_id FROM people LATERAL VIEW explode(sequence(1, 4)) AS n",
    "TIMELINE": "SELECT *, timestampadd(HOUR, n, at) AS occurred_at, 'event' AS kind, 'web' AS source, concat(id, '-', n) AS reference,"
    " 'Product Viewed' AS event, map('product_id', string(n), 'name', concat('Thing ', id), 'path', concat('/p/', pmod(hash(id, n), 5000)))"
    " AS properties FROM people LATERAL VIEW explode(sequence(1, IF(pmod(id, 10000) = 0, 2000, int(2 + pmod(hash(id, 8), 16))))) AS n",
    "TRAITS": "SELECT *, 2 AS orders, 100 AS revenue FROM people",
    "EFFECTIVE_CONSENT": "SELECT *, 'granted' AS status, true AS is_allowed"
    " FROM people LATERAL VIEW explode(array('email_marketing', 'advertising')) AS purpose",
    "PREDICTIONS": "SELECT *, 90 AS horizon_days, 'rest' AS tier FROM people",
    "RECOMMENDATIONS": "SELECT *, concat('P', rank) AS product_id, 'best_seller' AS reason"
    " FROM people LATERAL VIEW explode(sequence(1, 5)) AS rank",
    "SEGMENT_MEMBERS": "SELECT *, 'everybody' AS segment FROM people",
    "JOURNEY_MEMBERS": "SELECT *, 'welcome' AS journey, 'pause' AS step FROM people",
}
RECORDS = "SELECT 'crm' AS source, string(id) AS record_key, customer_id, lower(given) AS given_name_key, lower(family) AS family_name_key,"
RECORDS += " CAST(NULL AS STRING) AS full_name_key FROM people"
FORMER = "SELECT 'crm' AS source, string(id) AS record_key, concat('c', substring(sha2(concat('was', id), 256), 1, 20)) AS customer_id"
FORMER += " FROM people WHERE pmod(id, 20) = 0"


def make(folder: Path, customers: int) -> None:
    """Write the tables that a lookup reads."""
    from cdp.base.lake import Lake
    from cdp.base.session import fit_to, spark_session
    from cdp.gold.lookup import lookup_keys
    from cdp.tables import gold, journeys

    spark = spark_session("lookup benchmark", memory="6g")
    fit_to(spark, customers * BYTES_A_CUSTOMER, compiled=True)
    lake = Lake(spark, str(folder))
    given, family = name_lists()
    spark.range(customers).selectExpr(
        "id", "concat('c', substring(sha2(string(id), 256), 1, 20)) AS customer_id", f"{given} AS given_names", f"{family} AS family_names"
    ).createOrReplaceTempView("numbered")
    spark.sql(PEOPLE).drop("given_names", "family_names").createOrReplaceTempView("people")
    for name, sql in TABLES.items():
        table = getattr(gold, name, None) or getattr(journeys, name)
        write(lake, table, filled(spark.sql(sql), table))
    records = spark.sql(RECORDS)
    owners = records.select("source", "record_key", "customer_id")
    keys = lookup_keys(lake.read(gold.CUSTOMER_IDENTIFIERS), records.drop("customer_id"), spark.sql(FORMER), owners)
    write(lake, gold.LOOKUP_KEYS, keys)
    spark.stop()


def name_lists() -> tuple[str, str]:
    """SQL arrays of given and of family names in small plain letters, those of all countries in turn."""
    from cdp.sample.names import family_names, given_names

    lists = ([n for pair in given_names() for n in pair], list(family_names()))
    merged = ([list(dict.fromkeys(chain(*zip(*(n.letters[:1000] for n in names), strict=False)))) for names in lists])
    given, family = (f"array({', '.join(repr(str(n)) for n in names if n)})" for names in merged)
    return given, family


def filled(rows: Any, table: Any) -> Any:
    """The columns of a table: those of its name, else null, else something."""
    something = {"string": "'x'", "date": "date'2026-01-01'", "timestamp": "timestamp'2026-01-01'", "boolean": "false"}

    def value(column: Any) -> str:
        if column.name in rows.columns:
            return str(column.name)
        if column.type.startswith(("array", "map")):
            return "array()" if column.type.startswith("array") else "map()"
        return "NULL" if column.nullable else something.get(column.type, "0")

    return rows.selectExpr(*[f"CAST({value(c)} AS {c.type}) AS {c.name}" for c in table.columns])


def write(lake: Any, table: Any, rows: Any) -> None:
    began = time.monotonic()
    written = lake.replace(table, rows)
    print(f"{table.name}: {written:,} rows, {time.monotonic() - began:.0f} s", flush=True)


def measure(folder: Path, lookups: int) -> None:
    """Print the median and the 95th percentile of each way of asking."""
    from cdp.lookup.ask import CUSTOMER, EMAIL, NAME, PHONE, asked
    from cdp.lookup.find import find
    from cdp.lookup.person import person, timeline
    from cdp.lookup.read import Tables
    from cdp.tables.gold import LOOKUP_KEYS, PROFILES

    tables = Tables(folder, PROFILES, LOOKUP_KEYS)
    chance = random.Random(1)
    people = tables.rows(PROFILES, '"customer_id" < \'c02\'', columns=("customer_id", "email", "phone", "full_name"))
    chosen = [chance.choice(people) for _ in range(lookups)]
    ways: dict[str, Callable[[dict[str, Any]], tuple[str, str]]] = {
        "e-mail": lambda p: (EMAIL, p["email"]),
        "phone, local form": lambda p: (PHONE, "0" + p["phone"][3:]),
        "customer id": lambda p: (CUSTOMER, p["customer_id"]),
        "name": lambda p: (NAME, p["full_name"]),
        "name, one typo": lambda p: (NAME, mistyped(p["full_name"], chance)),
        "family name alone": lambda p: (NAME, p["full_name"].split()[-1]),
    }
    print(f"\n{'':20} {'find p50':>9} {'p95':>6} {'page p50':>9} {'p95':>6} {'CPU':>6} {'there':>6}   (milliseconds)")
    for way, of in ways.items():
        finding, showing, there = [], [], 0
        cpu = time.process_time()
        for one in chosen:
            kind, text = of(one)
            began = time.monotonic()
            found = find(tables, asked(kind, text, option="--x"))
            finding.append(time.monotonic() - began)
            there += one["customer_id"] in {match.customer_id for match in found.matches} or found.more
            if kind != NAME:
                shown = person(tables, one["customer_id"])
                assert shown is not None and timeline(tables, one["customer_id"], 1)[0]
                showing.append(time.monotonic() - began)
        cpu = 1000 * (time.process_time() - cpu) / lookups
        page = f"{quantile(showing, 50)} {quantile(showing, 95, 6)}" if showing else " " * 16
        print(f"{way:20} {quantile(finding, 50)} {quantile(finding, 95, 6)} {page} {cpu:6.0f} {there / lookups:6.0%}", flush=True)
    cold(folder, people[0]["email"])


def mistyped(name: str, chance: random.Random) -> str:
    """A name with one letter changed, left out, doubled or swapped with the next."""
    at = chance.randrange(len(name) - 1)
    kinds = ("x" + name[at + 1 :], name[at + 1 :], name[at] + name[at:], name[at + 1] + name[at] + name[at + 2 :])
    return name[:at] + chance.choice(kinds)


def quantile(seconds: list[float], percent: int, width: int = 9) -> str:
    return f"{1000 * statistics.quantiles(seconds, n=100)[percent - 1]:{width}.0f}"


def cold(folder: Path, email: str) -> None:
    call = [sys.executable, "-m", "cdp.cli", "lookup", "--email", "-", "--lake", str(folder)]
    times = []
    for _ in range(5):
        began = time.monotonic()
        subprocess.run(call, input=email, text=True, check=True, capture_output=True, cwd=PROJECT / "lib")
        times.append(time.monotonic() - began)
    print(f"\nthe command, cold: median {statistics.median(times):.2f} s of {', '.join(f'{t:.2f}' for t in sorted(times))}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--lake", type=Path)
    parser.add_argument("--lookups", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.lake or Path(temporary) / "lake"
        if not (folder / "gold" / "lookup_keys").exists():
            make(folder, options.customers)
        measure(folder, options.lookups)


if __name__ == "__main__":
    main()
