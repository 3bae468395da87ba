"""Keys under which a customer is found: of names such that a typo leaves one in common, of identifiers however they are typed.

Each has two forms, Spark SQL for the table and Python for what somebody types; the tests hold one against the other.
"""

import re
import zlib
from itertools import permutations

_ENDS_WITH = 6
"""Digits at the end of a phone number by which it is looked up: what stands before them depends on where one dials from."""
_MOST_WORDS = 4
_ALIKE = str.maketrans("cqzv", "kksf")
_SIGNS = r"[\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000.\-]+"
"""White space, full stops and hyphens. Each by its number: what `\\s` means is not the same in Python and in Java."""
_BETWEEN = re.compile(_SIGNS)
_SILENT = re.compile("(?<=.)[aeiouhwy]")
_TWICE = re.compile(r"(.)\1+")


def bucket(key: str) -> str:
    """Where in the table a key lies."""
    return f"b{zlib.crc32(key.encode()):08x}"[:5]


def bucket_sql(key: str) -> str:
    """The same of a column."""
    return f"concat('b', substring(lpad(lower(hex(crc32({key}))), 8, '0'), 1, 4))"


def identifier_key(value: str) -> str:
    """The key of an identifier: case, spaces of any kind, full stops and hyphens make no difference."""
    return "id:" + _BETWEEN.sub("", value).lower()


def identifier_key_sql(value: str) -> str:
    """The same of a column."""
    signs = _SIGNS.replace("\\", "\\\\")
    return f"concat('id:', lower(regexp_replace({value}, '{signs}', '')))"


def phone_key(number: str) -> str:
    """The key of a phone number in E.164, or of its digits in another form."""
    return "end:" + number[-_ENDS_WITH:]


def phone_key_sql(number: str) -> str:
    """The same of a column of numbers in E.164."""
    return f"concat('end:', right({number}, {_ENDS_WITH}))"


def words_of(name: str) -> list[str]:
    """The words of a folded name that count: of many the first two and the last two, each once."""
    words = list(dict.fromkeys(name.split(" ")))
    return words if len(words) <= _MOST_WORDS else words[:2] + words[-2:]


def sound(word: str) -> str:
    """A word without what is often written otherwise: vowels and h behind the first letter, doubled letters."""
    return _TWICE.sub(r"\1", _SILENT.sub("", word.replace("ph", "f").translate(_ALIKE)))


def name_keys(name: str) -> set[str]:
    """The keys of a folded name, of its words in any order.

    The whole and its sound; each word by its sound; each word beside the first, and beside the last letter of another
    one, so that two names of which one word is equal, and the other differs by a typo, have a key in common.
    """
    words = words_of(name)
    sounds = [sound(word) for word in words]
    keys = {"name:" + " ".join(sorted(words)), "like:" + " ".join(sorted(sounds))}
    keys |= {f"word:{word}" for word in sounds if len(word) > 1}
    for word, other in permutations(words, 2):
        if len(word) > 1:
            keys |= {f"{word} {other[0]}*", f"{word} *{other[-1]}"}
    return keys


def words_sql(name: str) -> str:
    """An array of the words that count."""
    words = f"array_distinct(split({name}, ' '))"
    return (
        f"CASE WHEN size({words}) <= {_MOST_WORDS} THEN {words}"
        f" ELSE concat(slice({words}, 1, 2), slice({words}, -2, 2)) END"
    )


def sounds_sql(words: str) -> str:
    """An array of the sounds of an array of words."""
    heard = r"regexp_replace(translate(replace(w, 'ph', 'f'), 'cqzv', 'kksf'), '(?<=.)[aeiouhwy]', '')"
    return rf"transform({words}, w -> regexp_replace({heard}, '(.)\\1+', '$1'))"


def name_keys_sql(words: str, sounds: str) -> str:
    """An array of the keys of a name by its words and their sounds, each once."""
    whole = f"concat('name:', array_join(array_sort({words}), ' ')), concat('like:', array_join(array_sort({sounds}), ' '))"
    heard = f"transform(filter({sounds}, s -> length(s) > 1), s -> concat('word:', s))"
    beside = (
        f"flatten(transform(filter({words}, a -> length(a) > 1), a -> flatten(transform(filter({words}, b -> b != a),"
        " b -> array(concat(a, ' ', left(b, 1), '*'), concat(a, ' *', right(b, 1)))))))"
    )
    return f"array_distinct(concat(array({whole}), {heard}, {beside}))"
