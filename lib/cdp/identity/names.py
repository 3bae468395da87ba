"""A key for given names under which spellings of one name mostly fall together, and names of two people do not."""

from itertools import chain

from pyspark.sql import Column
from pyspark.sql import functions as F

_ACCENTED = "àáâãäåāăąçćčďèéêëēėęěìíîïīįıłñńňòóôõöøōőŕřśšşťùúûüūůűýÿźżž"
_PLAIN = "aaaaaaaaacccdeeeeeeeeiiiiiiilnnnoooooooorrssstuuuuuuuyyzzz"

_ROOTS = {
    "bill": "william", "will": "william", "billy": "william", "liam": "william",
    "bob": "robert", "rob": "robert", "bobby": "robert",
    "dick": "richard", "rick": "richard", "rich": "richard",
    "jim": "james", "jimmy": "james", "jack": "john", "johnny": "john",
    "ted": "edward", "ned": "edward", "ed": "edward", "tony": "anthony", "toni": "anton",
    "liz": "elizabeth", "beth": "elizabeth", "betty": "elizabeth", "lisa": "elizabeth",
    "peggy": "margaret", "meg": "margaret", "maggie": "margaret", "kate": "katherine", "cathy": "catherine",
    "sandy": "alexandra", "alex": "alexander", "sascha": "alexander", "sasha": "alexander",
    "hans": "johannes", "fritz": "friedrich", "heinz": "heinrich", "uli": "ulrich", "sepp": "josef", "toño": "antonio",
    "pepe": "jose", "paco": "francisco", "pancho": "francisco", "nacho": "ignacio", "lola": "dolores", "kike": "enrique",
    "charly": "charles", "chuck": "charles", "mimi": "emilie", "lili": "elisabeth", "babette": "elisabeth",
}  # fmt: skip


def folded(text: Column) -> Column:
    """Lower case, without accents."""
    plain = F.translate(F.lower(F.trim(text)), _ACCENTED, _PLAIN)
    return F.replace(F.replace(plain, F.lit("ß"), F.lit("ss")), F.lit("æ"), F.lit("ae"))


def name_key(given_name: Column) -> Column:
    """First three letters of the first given name, nicknames led back to their name.

    Null for no name, a mere initial, and names in other than Latin letters: those agree with any.
    """
    first = F.regexp_extract(folded(given_name), r"^([a-z]+)", 1)
    roots = F.create_map(*[F.lit(part) for part in chain.from_iterable(_ROOTS.items())])
    root = F.coalesce(F.try_element_at(roots, first), first)
    return F.when(F.length(first) > 1, F.substring(root, 1, 3))
