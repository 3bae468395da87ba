"""Who is meant: customers by an identifier they ever had, or by a name that is like theirs."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from cdp.base.errors import UsageError
from cdp.gold.search_keys import bucket, identifier_key, name_keys, phone_key, words_of
from cdp.identity.names import also_called
from cdp.lookup.ask import ANY, CUSTOMER, EMAIL, NAME, PHONE, Asked, address, digits, forms, is_address, is_number
from cdp.lookup.read import Row, Tables, is_one_of
from cdp.silver.folding import folded_name
from cdp.tables.gold import CUSTOMER_IDENTIFIERS, LOOKUP_KEYS, PROFILES, TRAITS

MOST = 20
"""Customers that are shown; who shares a name with more than that is better found by something else."""
_CANDIDATES = 5_000
"""Keys that are looked at in a step: a bound on the work for the commonest of names."""

_OTHERWISE_WRITTEN = 0.99


@dataclass(frozen=True)
class Match:
    """A customer who may be meant.

    Attributes:
        customer_id: the id that holds now.
        kind: what matched: name, email, phone, a former customer_id ...
        value: the customer's own value of it; of a name in plain letters.
        score: 1 for an identifier, 0.99 for one that is written a little otherwise; for a name how much it is like the one asked for.
        profile: what tells people apart: name, birth date, place, contact, when last seen.
    """

    customer_id: str
    kind: str
    value: str
    score: float
    profile: Row


@dataclass(frozen=True)
class Found:
    """Who was found, the likeliest first.

    Attributes:
        matches: at most `MOST`.
        more: whether there are others.
    """

    matches: tuple[Match, ...]
    more: bool = False


def find(tables: Tables, asked: Asked) -> Found:
    """Customers who have, or had, what is asked for."""
    hits = _by_name(tables, asked) if asked.kind == NAME else _by_identifier(tables, asked)
    best: dict[str, tuple[float, str, str]] = {}
    for customer, score, kind, value in hits:
        if customer not in best or score > best[customer][0]:
            best[customer] = score, kind, value
    likeliest = sorted(best, key=lambda customer: (-best[customer][0], best[customer][2], customer))
    known: dict[str, Row] = {}
    looked_at = 0
    # Who has no trace up to the run's date has keys, but no profile: then the next ones.
    while looked_at < len(likeliest) and len(known) < MOST:
        known |= _summaries(tables, likeliest[looked_at : looked_at + MOST])
        looked_at += MOST
    there = [customer for customer in likeliest if customer in known]
    matches = (
        Match(customer, kind, value, round(score, 3), known[customer])
        for customer in there[:MOST]
        for score, kind, value in [best[customer]]
    )
    return Found(tuple(matches), len(there) > MOST or looked_at < len(likeliest))


def check_type(tables: Tables, asked: Asked, *, option: str) -> None:
    """Where nobody was found: whether there are identifiers of the type that was typed.

    Raises:
        UsageError: there are none; says of which types there are some.
    """
    if asked.kind in (NAME, EMAIL, PHONE, CUSTOMER, ANY):
        return
    types = sorted(row["id_type"] for row in tables.rows(CUSTOMER_IDENTIFIERS, "true", columns=("id_type",), distinct=True))
    if types and asked.kind not in types:
        raise UsageError(f"{option}: found a type of identifier that nobody has, wanted one of {', '.join([*types, CUSTOMER])}")


Hit = tuple[str, float, str, str]
"""Customer, score, kind, value."""


def _by_identifier(tables: Tables, asked: Asked) -> list[Hit]:
    keys = set()
    if asked.kind in (PHONE, ANY) and digits(asked.text):
        keys.add(phone_key(digits(asked.text)))
    if asked.kind == EMAIL:
        keys |= {identifier_key(form) for form in forms(address(asked.text))}
    elif asked.kind != PHONE:
        keys.add(identifier_key(asked.text))
    rows = [row for row in _keyed(tables, keys) if _is_meant(row, asked)]
    hits = [(row["customer_id"], _exactness(row, asked), row["kind"], row["value"]) for row in rows]
    # An id that holds now is no key; without a profile it is nobody's.
    return [*hits, (asked.text.lower(), 1.0, CUSTOMER, asked.text)] if asked.kind in (CUSTOMER, ANY) else hits


def _is_meant(row: Row, asked: Asked) -> bool:
    kind, value = row["kind"], row["value"]
    if kind == NAME or asked.kind not in (kind, ANY):
        return False
    if kind == PHONE:
        return is_number(asked.text, value, asked.country)
    return kind != EMAIL or is_address(address(asked.text), value)


def _exactness(row: Row, asked: Asked) -> float:
    """Less than 1 for letters in another case or other signs between them, which may be another person's identifier."""
    if row["kind"] == PHONE:
        return 1.0
    typed = {EMAIL: address(asked.text), CUSTOMER: asked.text.lower()}.get(row["kind"], asked.text)
    return 1.0 if row["value"] == typed else _OTHERWISE_WRITTEN


def _by_name(tables: Tables, asked: Asked) -> list[Hit]:
    name = folded_name(asked.text)
    keys = name_keys(name)
    whole = {key for key in keys if _is_whole(key)} | _otherwise_called(name)
    heard = {key for key in keys if key.startswith("word:")}
    beside = keys - whole - heard
    # Many share a single word: by it only where that is all there is, or where nobody was found by more.
    hits = _alike(tables, name, whole | heard) if not beside else _alike(tables, name, whole, beside)
    return hits or _alike(tables, name, heard if beside else _apart(name))


def _alike(tables: Tables, name: str, *steps: set[str]) -> list[Hit]:
    """Who has a name like this among the keys of each step, which are bounded by themselves and read side by side."""
    from cdp.lookup.likeness import alike  # of what compares names no other look-up has need

    with ThreadPoolExecutor(max_workers=len(steps)) as pool:
        rows = [row for found in pool.map(lambda keys: _keyed(tables, keys), steps) for row in found if row["kind"] == NAME]
    scores = alike(name, {row["value"] for row in rows})
    return [(row["customer_id"], scores[row["value"]], NAME, row["value"]) for row in rows if row["value"] in scores]


def _is_whole(key: str) -> bool:
    return key.startswith(("name:", "like:"))


def _otherwise_called(name: str) -> set[str]:
    """Keys of the name with a word in its short or its full form: Bill for William."""
    words = words_of(name)
    others = (" ".join([*words[:n], other, *words[n + 1 :]]) for n, word in enumerate(words) for other in also_called(word))
    return {key for other in others for key in name_keys(other) if key.startswith("name:")}


def _apart(word: str) -> set[str]:
    """Keys of two names that were typed without a space."""
    parted = (f"{word[:at]} {word[at:]}" for at in range(2, len(word) - 1))
    return {key for name in parted for key in name_keys(name) if _is_whole(key)}


def _keyed(tables: Tables, keys: Iterable[str]) -> list[Row]:
    wanted = sorted(keys)
    where = f"{is_one_of('bucket', sorted({bucket(key) for key in wanted}))} AND {is_one_of('key', wanted)}"
    return tables.rows(LOOKUP_KEYS, where, columns=("customer_id", "kind", "value"), limit=_CANDIDATES)


_TELLING = ("customer_id", "full_name", "birth_date", "city", "postal_code", "country", "email", "phone", "is_anonymous", "last_seen_at")
_BOUGHT = ("orders", "last_order_at")


def _summaries(tables: Tables, customers: Iterable[str]) -> Mapping[str, Row]:
    are_they = is_one_of("customer_id", customers)
    with ThreadPoolExecutor(max_workers=2) as pool:
        profiles = pool.submit(tables.rows, PROFILES, are_they, columns=_TELLING)
        traits = pool.submit(tables.rows, TRAITS, are_they, columns=("customer_id", *_BOUGHT))
    bought = {row["customer_id"]: row for row in traits.result()}
    return {row["customer_id"]: {**row, **dict.fromkeys(_BOUGHT), **bought.get(row["customer_id"], {})} for row in profiles.result()}
