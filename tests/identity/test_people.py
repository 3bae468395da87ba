"""Which people of one contact point may be one person."""

from itertools import permutations

import pytest

from cdp.identity.config import Policy
from cdp.identity.people import Described, Place, Who, may_be_one, told_apart
from cdp.silver.folding import folded_name

Said = tuple[str | None, str | None, str | None, str | None]  # given name, family name, birth date, suffix

ONE: list[tuple[Said, Said]] = [
    (("Élodie", None, None, None), ("ELODIE", None, None, None)),
    (("Bob", None, None, None), ("Robert", None, None, None)),
    (("Jean Paul", None, None, None), ("Jean", None, None, None)),
    (("J", None, None, None), ("John", None, None, None)),
    (("Christina", None, None, None), ("Chirstina", None, None, None)),
    (("Martin", "Paul", None, None), ("Paul", "Martin", None, None)),
    ((None, None, None, None), ("Ann", None, None, None)),
    (("Søren", None, None, None), ("Soren", None, None, None)),
    (("Ann", None, "1980-02-01", None), ("Ann", None, "1980-01-02", None)),
    (("Grete", None, "1980-02-01", None), ("Margarete", None, "1980-02-01", None)),
    (("Ed", None, None, None), ("Eddie", None, None, None)),
    (("Chris", None, None, None), ("Christine", None, None, None)),
    (("Toño", None, None, None), ("Antonio", None, None, None)),
    (("Alejandro", None, None, None), ("Alexander", None, None, None)),
    (("Susanne", None, "1980-02-01", None), ("Sussane", None, "1980-02-01", None)),
    (("Мария", None, None, None), ("Mariya", None, None, None)),
    (("Γεώργιος", None, None, None), ("Georgios", None, None, None)),
    (("محمد", None, None, None), ("Mohamed", None, None, None)),
    (("فاطمة", None, None, None), ("Fatima", None, None, None)),
]
TWO: list[tuple[Said, Said]] = [
    (("عمر", None, None, None), ("Amr", None, None, None)),  # two consonants say too little: Omar has them, too
    (("محمد", None, "1980-01-02", None), ("Mohamed", None, "1991-07-30", None)),
    (("Ann", None, None, None), ("Bob", None, None, None)),
    (("Daniel", None, None, None), ("Daniela", None, None, None)),
    (("Mario", None, None, None), ("Maria", None, None, None)),
    (("Christine", None, None, None), ("Christopher", None, None, None)),
    (("Ella", None, None, None), ("Nora", None, None, None)),  # both may be Eleanor
    (("Andrea", None, None, None), ("Andreas", None, None, None)),
    (("Jean Paul", None, None, None), ("Jean Pierre", None, None, None)),
    (("John", None, None, "Jr"), ("John", None, None, "Sr")),
    (("John", None, "1950-03-04", None), ("John", None, "1981-06-07", None)),
    (("J", None, None, None), ("Karl", None, None, None)),
    (("Tim", None, None, None), ("Tom", None, None, None)),
    (("Mark", None, "1997-09-28", None), ("Marsha", None, "1997-09-28", None)),  # twins
    (("Иван", None, None, None), ("Мария", None, None, None)),
    (("Νίκος", None, None, None), ("Ελένη", None, None, None)),
    (("伟", None, None, None), ("秀英", None, None, None)),
    (("محمد", None, None, None), ("فاطمة", None, None, None)),
    (("محمد", None, None, None), ("محمود", None, None, None)),
    (("محمد", None, None, None), ("Fatima", None, None, None)),
    (("Lynn", None, None, None), ("Lena", None, None, None)),  # a name in use, whose vowel is its y
]


@pytest.mark.parametrize(
    ("pairs", "is_one"), [pytest.param(ONE, True, id="one person"), pytest.param(TWO, False, id="two people")]
)
def test_names_and_births_say_who_may_be_one(pairs: list[tuple[Said, Said]], is_one: bool):
    both_ways = [*pairs, *((b, a) for a, b in pairs)]

    assert [(a, b) for a, b in both_ways if may_be_one(_who(a), _who(b)) is not is_one] == []


@pytest.mark.parametrize(
    ("policy", "by_policy"), [("ambiguous", None), ("most_recent", 1), ("existing", 0)]
)
def test_who_could_be_several_is_left_to_the_policy(policy: Policy, by_policy: int | None):
    described = [
        Described(Who("robert", "robert smith", "1980-01-02", None), 3, first_at=1, last_at=5),
        Described(Who("eve", "eve smith", None, None), 2, first_at=2, last_at=9),
        Described(Who(None, "smith", None, None), 1, first_at=3, last_at=3),
        Described(Who("bob", "bob smith", None, None), 1, first_at=4, last_at=4),
        Described(Who(None, "", "1980-01-02", None), 1, first_at=4, last_at=4),
    ]

    places, groups = told_apart(described, policy)

    assert groups == 2
    # Bob is Robert, and so is who was born on his day; a Smith could be either.
    assert places == [Place(0), Place(1), Place(None, by_policy), Place(0), Place(0)]


def _who(said: Said) -> Who:
    """As `groups.described` makes it of a record."""
    given, family, born, suffix = said
    words = folded_name(" ".join(name for name in (given, family) if name)).split()
    return Who(folded_name(given or "") or None, " ".join(sorted(words)), born, suffix.lower() if suffix else None)


def test_who_is_whose_does_not_depend_on_who_is_told_of_first():
    described = [
        Described(Who("anna", "", None, "jr"), 1, 2, 2),
        Described(Who("anna", None, None, "jr"), 1, 1, 1),
        Described(Who("ann", None, None, None), 1, 1, 1),
        Described(Who(None, None, None, None), 1, 1, 1),
    ]
    found = [dict(zip(order, told_apart(order, "most_recent")[0], strict=True)) for order in permutations(described)]
    assert all(places == found[0] for places in found)
