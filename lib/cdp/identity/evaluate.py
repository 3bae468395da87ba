"""How right the customers are, where the truth is known: pairwise and B-cubed scores of `identity.assignments`."""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from cdp.base.errors import UsageError
from cdp.identity.explain import Record, dataset

_COLUMNS = ("source", "record_key", "person_id")


@dataclass(frozen=True)
class Scores:
    """Precision and recall; see `scores`."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Their harmonic mean."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


@dataclass(frozen=True)
class Evaluation:
    """What came of the comparison with the truth.

    Attributes:
        pairs: over all pairs of records: of those that share a customer, and of those that share a person.
        records: the mean over records, B-cubed.
        compared: records that are in both.
        unknown: records of the truth that no customer has.
        customers: distinct ones among the compared records.
        persons: distinct ones.
        merged: customers that hold several persons, largest first.
        split: persons that have several customers, by their number.
    """

    pairs: Scores
    records: Scores
    compared: int
    unknown: int
    customers: int
    persons: int
    merged: tuple[str, ...]
    split: int


def scores(clusters: Sequence[Hashable], persons: Sequence[Hashable]) -> tuple[Scores, Scores]:
    """Pairwise and B-cubed scores.

    Args:
        clusters: of each record.
        persons: of each record, as many.

    Returns:
        Pairwise scores: of the pairs of records in one cluster the share that is one person, and the other way round (1 where
        there is no pair); and B-cubed scores: of each record's cluster the share of records of its person, and of its person's
        records the share in its cluster, on average over records.

    Source:
        Bagga and Baldwin (1998), Algorithms for Scoring Coreference Chains, LREC.
    """
    both = Counter(zip(clusters, persons, strict=True))
    by_cluster, by_person = Counter(clusters), Counter(persons)

    def pairs(counts: Iterable[int]) -> int:
        return sum(n * (n - 1) // 2 for n in counts)

    right, linked, true = pairs(both.values()), pairs(by_cluster.values()), pairs(by_person.values())
    total = max(len(clusters), 1)
    precision = sum(n * n / by_cluster[cluster] for (cluster, _), n in both.items()) / total
    recall = sum(n * n / by_person[person] for (_, person), n in both.items()) / total
    return Scores(right / linked if linked else 1.0, right / true if true else 1.0), Scores(precision, recall)


def evaluate(assignments: Mapping[Record, str], truth: Mapping[Record, str]) -> Evaluation:
    """Compare customers with persons, over the records that have both.

    Args:
        assignments: record to its customer_id.
        truth: record to its person.
    """
    known = sorted(record for record in truth if record in assignments)
    clusters, persons = [assignments[r] for r in known], [truth[r] for r in known]
    of_pairs, of_records = scores(clusters, persons)
    people_of: dict[str, set[str]] = {}
    customers_of: dict[str, set[str]] = {}
    for cluster, person in zip(clusters, persons, strict=True):
        people_of.setdefault(cluster, set()).add(person)
        customers_of.setdefault(person, set()).add(cluster)
    merged = sorted((c for c, people in people_of.items() if len(people) > 1), key=lambda c: (-len(people_of[c]), c))
    split = sum(len(customers) > 1 for customers in customers_of.values())
    return Evaluation(
        of_pairs, of_records, len(known), len(truth) - len(known), len(people_of), len(customers_of), tuple(merged), split
    )


def read_truth(path: Path) -> dict[Record, str]:
    """The truth: source, record_key and person_id, as CSV, as Parquet, or as a folder of Parquet files.

    Raises:
        UsageError: no such file, or not these columns.
    """
    if not path.exists():
        raise UsageError(f"--truth {path}: found nothing, wanted a CSV or Parquet file with {', '.join(_COLUMNS)}")
    try:
        table = _read(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise UsageError(f"--truth {path}: cannot be read: {type(error).__name__}; wanted CSV or Parquet") from None
    missing = [name for name in _COLUMNS if name not in table.column_names]
    if missing:
        found = ", ".join(table.column_names)
        raise UsageError(f"--truth {path}: column {', '.join(missing)} is missing; found {found}, wanted {', '.join(_COLUMNS)}")
    source, key, person = (table.column(name).cast(pa.string()).to_pylist() for name in _COLUMNS)
    return dict(zip(zip(source, key, strict=True), person, strict=True))


def _read(path: Path) -> pa.Table:
    if path.is_dir() or path.suffix == ".parquet":
        return pq.read_table(path)
    with path.open("rb") as file:
        names = file.readline().decode("utf-8-sig", "replace").strip().split(",")
    options = pacsv.ConvertOptions(column_types={name.strip('" '): pa.string() for name in names})
    return pacsv.read_csv(path, convert_options=options)


def read_assignments(lake: Path) -> dict[Record, str]:
    """Each record's customer now.

    Raises:
        UsageError: there is no such table.
    """
    table = dataset(lake, "identity.assignments")
    rows = table.to_table(columns=["source", "record_key", "customer_id"], filter=pc.field("is_current"))
    source, key, customer = (rows.column(name).to_pylist() for name in ("source", "record_key", "customer_id"))
    return dict(zip(zip(source, key, strict=True), customer, strict=True))
