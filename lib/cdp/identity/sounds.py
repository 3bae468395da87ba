"""How names in small Latin letters sound, and which are one name written in two ways."""

from itertools import groupby

from rapidfuzz.distance import OSA


def sound_of(name: str) -> str:
    """The consonants of a name as they sound, behind an `a` where it begins with a vowel: Zara is Sahra, Cathryn is Katherine."""
    sounds = _respelt(name).translate(_SOUNDS)
    consonants = "".join(sound for sound, _ in groupby(sounds) if sound != _VOWEL)
    return f"a{consonants}" if sounds.startswith(_VOWEL) else consonants


def are_spellings(a: str, b: str) -> bool:
    """Whether two names are one, written in two ways, a letter aside: Sophia and Sofia, Izaak and Isaac."""
    one, other = ("".join(letter for letter, _ in groupby(_respelt(name).translate(_SPELLINGS))) for name in (a, b))
    return bool(OSA.distance(one, other, score_cutoff=1) <= 1)


def _respelt(name: str) -> str:
    for spelt, sound in _SPELT:
        name = name.replace(spelt, sound)
    return name


_VOWEL = "-"
_SPELT = (
    *(("geo", "je"), ("ey", "i"), ("ie", "i"), ("ee", "i")),
    *(("sch", "s"), ("sh", "s"), ("ch", "k"), ("ck", "k"), ("ph", "f"), ("th", "t"), ("tz", "s"), ("ts", "s"), ("qu", "k")),
    *((f"{hard}{vowel}", f"{soft}{vowel}") for hard, soft in (("c", "s"), ("g", "j")) for vowel in "eiy"),
)
_SOUNDS = str.maketrans("cqxzvdbaeiouyhw", f"kkksftp{_VOWEL * 8}")
_SPELLINGS = str.maketrans("cqxzvy", "kkksfi", "hw")
