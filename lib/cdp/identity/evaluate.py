"""How right the customers are, where the truth is known: scores of `identity.assignments`, and where the errors come from."""

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from cdp.base.errors import UsageError
from cdp.identity.explain import Link, Record, dataset

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
    people_of, customers_of = _seen_with(clusters, persons), _seen_with(persons, clusters)
    merged = sorted((c for c, people in people_of.items() if len(people) > 1), key=lambda c: (-len(people_of[c]), c))
    split = sum(len(customers) > 1 for customers in customers_of.values())
    return Evaluation(
        of_pairs, of_records, len(known), len(truth) - len(known), len(people_of), len(customers_of), tuple(merged), split
    )


def _seen_with(ones: Iterable[str], others: Iterable[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for one, other in zip(ones, others, strict=True):
        found.setdefault(one, set()).add(other)
    return found


def reached(keys: Mapping[Record, Collection[int]], truth: Mapping[Record, str]) -> tuple[int, int]:
    """How many pairs of compared records of one person met by blocking, and how many there are.

    Args:
        keys: of each compared record the keys by which it met others; those of two rules are never equal.
        truth: record to its person.
    """
    people: dict[str, list[set[int]]] = {}
    for record, own in keys.items():
        if record in truth:
            people.setdefault(truth[record], []).append(set(own))
    pairs = [pair for records in people.values() for pair in combinations(records, 2)]
    return sum(not one.isdisjoint(other) for one, other in pairs), len(pairs)


@dataclass(frozen=True)
class Errors:
    """Where errors come from.

    Attributes:
        wrong: accepted links between two persons, by what linked them.
        missed: of persons with several customers the pairs of customers, by what is known of the two.
    """

    wrong: Mapping[str, int]
    missed: Mapping[str, int]


def errors(
    links: Iterable[Link],
    assignments: Mapping[Record, str],
    truth: Mapping[Record, str],
    keys: Mapping[Record, Collection[int]],
) -> Errors:
    """Sort the errors by kind.

    Args:
        links: `identity.links`.
        assignments: record to its customer_id.
        truth: record to its person.
        keys: `read_keys`.
    """
    wrong: Counter[str] = Counter()
    between: dict[frozenset[str], str] = {}
    for link in links:
        one, other = truth.get(link.left), truth.get(link.right)
        if one is None or other is None:
            continue
        if link.decision == "accepted":
            wrong[link.rule] += one != other
        elif one == other:
            customers = frozenset(assignments.get(record, "") for record in (link.left, link.right))
            kind = f"refused: {link.reason}" if link.decision == "refused" else link.reason
            # A refusal says more than a doubt.
            if len(customers) == 2 and not between.get(customers, "").startswith("refused"):
                between[customers] = kind
    customers_of: dict[str, dict[str, set[int]]] = {}
    for record, person in truth.items():
        if record in assignments:
            customers_of.setdefault(person, {}).setdefault(assignments[record], set()).update(keys.get(record, ()))
    missed: Counter[str] = Counter()
    for keys_of in customers_of.values():
        for one, other in combinations(sorted(keys_of), 2):
            met = bool(keys_of[one] & keys_of[other])
            missed[between.get(frozenset((one, other)), "compared, and hardly alike" if met else "never compared")] += 1
    return Errors(+wrong, missed)


@dataclass(frozen=True)
class Point:
    """Precision and recall of the compared pairs from a weight on; see `curve`."""

    weight: float
    scores: Scores


def curve(links: Iterable[Link], truth: Mapping[Record, str]) -> list[Point]:
    """How right the comparison would be by itself at each threshold.

    Args:
        links: `identity.links`; those with a weight count.
        truth: record to its person.

    Returns:
        A point for each weight, the highest first: of the pairs that weigh at least as much the share that is one person, and
        of all compared pairs of one person the share that does.
    """
    told = [(link.weight, truth.get(link.left), truth.get(link.right)) for link in links if link.weight is not None]
    scored = sorted(((w, a == b) for w, a, b in told if a is not None and b is not None), reverse=True)
    true = sum(is_one for _, is_one in scored)
    found: dict[float, Scores] = {}
    right = 0
    for count, (weight, is_one) in enumerate(scored, start=1):
        right += is_one
        found[weight] = Scores(right / count, right / true if true else 1.0)  # the last of equal weights counts
    return [Point(weight, scores_) for weight, scores_ in found.items()]


def read_links(lake: Path) -> list[Link]:
    """`identity.links` without evidence.

    Raises:
        UsageError: there is no such table.
    """
    ends = ["left_source", "left_record_key", "right_source", "right_record_key"]
    names = [*ends, "rule", "match_weight", "probability", "decision", "reason"]
    rows = dataset(lake, "identity.links").to_table(columns=names)
    columns = zip(*(rows.column(name).to_pylist() for name in names), strict=True)
    return [Link((a, b), (c, d), rule, weight, chance, (), decision, reason) for a, b, c, d, rule, weight, chance, decision, reason in columns]


def read_keys(lake: Path) -> dict[Record, list[int]]:
    """Of each compared record the keys by which it met others; of none in a lake resolved before they were stored."""
    try:
        rows = dataset(lake, "identity.resolved_records").to_table(filter=pc.field("keys").is_valid())
    except UsageError:
        return {}
    source, record, keys = (rows.column(name).to_pylist() for name in ("source", "record_key", "keys"))
    return {(s, r): [key for _, key in entries] for s, r, entries in zip(source, record, keys, strict=True)}


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
