"""Whether two people of one contact point may be one person, from given name, birth date and suffix."""

import unicodedata

from pyspark.sql import Column
from pyspark.sql import functions as F

_GENERATION = 12
"""Years between two birth dates from which another day and month, too, mean another person."""

# Short forms by the name they stand for; a few of each language, for those that no spelling distance finds.
_SHORT_FORMS = {
    "alexander": "alex sascha xander", "alexandra": "sandra sascha", "albert": "bert al", "alfred": "alf fred", "andrew": "andy drew andi", "arthur": "art", "anthony": "tony",
    "antonio": "toni", "barbara": "barb babs", "benjamin": "ben benny", "catherine": "cathy kate katie cath",
    "charles": "charlie chuck", "christina": "tina chris", "christopher": "chris", "daniel": "dan danny",
    "david": "dave", "deborah": "debbie deb", "dorothy": "dot dottie", "edward": "ed eddie ted ned",
    "elizabeth": "liz lizzie beth betty libby eliza", "elisabeth": "lisa lisbeth sisi", "emanuel": "manuel manu",
    "ernest": "ernie", "eugene": "gene", "florence": "flo flossie", "francis": "frank fran", "francisco": "paco pancho fran", "francesca": "fanny", "frederick": "fred freddie", "friedrich": "fritz",
    "gabriel": "gabi gabe", "gerald": "gerry", "gregory": "greg", "harold": "hal", "howard": "howie", "hubert": "hub hubi", "guillermo": "memo", "heinrich": "heinz heiner",
    "henry": "harry hank", "isabel": "isa bel", "jacob": "jake", "jacqueline": "jacky jackie",
    "james": "jim jimmy jamie", "jennifer": "jen jenny", "jessica": "jess jessie", "jesus": "chus", "joachim": "achim",
    "johannes": "hannes hans", "john": "jack johnny", "jonathan": "jon", "jose": "pepe", "joseph": "joe joey jo",
    "josefa": "pepa", "joshua": "josh", "judith": "judy", "katharina": "kathi katja", "kenneth": "ken kenny",
    "konstantin": "kosta", "lawrence": "larry", "leonard": "leo lenny", "manuela": "manu", "mohammed": "muhammad mohammad mohamed muhammed mohamad muhamad mhd md", "margaret": "maggie meg peggy peggie madge marge margie",
    "margarete": "grete gretel", "marie": "mimi mary maria", "matthew": "matt", "maximilian": "max", "michael": "mike micky mick michi",
    "michelle": "shelly", "nathaniel": "nate nathan", "pavel": "pasha", "nicholas": "nick", "nicolas": "nico", "nikolaus": "klaus niko",
    "olivia": "liv livvy", "pamela": "pam", "patricia": "pat patty tricia", "patrick": "paddy", "peter": "pete",
    "philip": "phil", "raymond": "ray", "rebecca": "becky", "roderick": "rod", "sarah": "sara sally sadie", "richard": "rick dick rich ricky", "robert": "bob rob bobby robbie bert",
    "ronald": "ron ronnie", "rosario": "charo", "samantha": "sam", "samuel": "sammy", "sebastian": "basti seb",
    "stephen": "steve", "steven": "steve", "susan": "sue susie suzy", "theodore": "theo", "theresa": "terry tess",
    "thomas": "tom tommy", "timothy": "tim timmy", "tobias": "tobi", "valerie": "val", "victoria": "vicky tori",
    "vincent": "vince", "walter": "walt", "wilhelm": "willi", "william": "bill will billy willy liam", "wolfgang": "wolf",
    "zachary": "zach zack",
}  # fmt: skip
ROOTS = {short: name for name, shorts in _SHORT_FORMS.items() for short in shorts.split()}
"""Short forms of given names to the name they stand for."""


def folded(text: Column) -> Column:
    """Small Latin letters without accents, one space between words; null where none is left.

    A name in another script has none: nothing is known of how it compares.
    """
    return _words(text, "[^a-z]+")


def folded_text(text: Column) -> Column:
    """The same with digits: for streets and other text."""
    return _words(text, "[^a-z0-9]+")


def _words(text: Column, between: str) -> Column:
    accented, plain = _accents()
    letters = F.translate(F.lower(text), accented, plain)
    for one, two in (("ß", "ss"), ("æ", "ae"), ("œ", "oe"), ("þ", "th")):
        letters = F.replace(letters, F.lit(one), F.lit(two))
    # An apostrophe stands inside a word, anything else between two.
    words = F.regexp_replace(F.regexp_replace(letters, "['’]", ""), between, " ")
    return F.nullif(F.trim(words), F.lit(""))


def root(given: Column) -> Column:
    """The name that a folded given name's first word is short for, else that word."""
    first = F.substring_index(given, " ", 1)
    # As text: each literal of its own would be a call into the JVM, four hundred of them.
    names = F.expr(f"map({', '.join(repr(word) for pair in ROOTS.items() for word in pair)})")
    return F.coalesce(F.try_element_at(names, first), first)


def may_be_one(a: Column, b: Column) -> Column:
    """Whether nothing speaks against two people being one, and something for it.

    Against: different suffixes (Jr, Sr), or births a generation apart. For: given names that agree (missing, equal but
    for the order of the name's words, a short form, an initial, one more word, nearly equal); two slips in one are believed
    where the births are equal. One birth date alone says nothing: twins share it, and all that a family shares.

    Args:
        a: struct of given (folded), root, words (all words of the name, sorted), birth_date, suffix.
        b: another one.
    """
    days = _month_day(a), _month_day(b)
    near_birth = _near_births(a["birth_date"], b["birth_date"])
    apart = (F.abs(F.year(a["birth_date"]) - F.year(b["birth_date"])) >= _GENERATION) & (days[0] != days[1]) & ~near_birth
    against = _sure(a["suffix"] != b["suffix"]) | _sure(apart)
    typed_wrong = _near(a["given"], b["given"]) & F.coalesce(near_birth, F.lit(True))
    same_words = (a["words"] == b["words"]) & a["words"].contains(" ")
    agree = (
        a["given"].isNull()
        | b["given"].isNull()
        | _sure(_same_root(a, b))
        | _sure(same_words)
        | _sure(_initial(a["given"], b["given"]))
        | _sure(_begins(a["given"], b["given"]))
        | _sure(_begins(b["given"], a["given"]))
        | _sure(typed_wrong)
    )
    two_slips = (F.least(F.length(a["given"]), F.length(b["given"])) >= 5) & (F.levenshtein(a["given"], b["given"]) <= 2)
    return ~against & (agree | _sure(two_slips & (a["birth_date"] == b["birth_date"])))


def is_firm(a: Column, b: Column) -> Column:
    """Whether given name or birth date say positively that both are one, so that it decides between several."""
    same_name = _sure(a["root"] == b["root"]) & (F.length(a["root"]) > 1)
    return (same_name & _sure(a["birth_date"].eqNullSafe(b["birth_date"]))) | _sure(a["birth_date"] == b["birth_date"])


def _same_root(a: Column, b: Column) -> Column:
    # Jean and Jean Paul may be one, Jean Paul and Jean Pierre are brothers.
    has_one = ~a["given"].contains(" ") | ~b["given"].contains(" ")
    return (a["root"] == b["root"]) & (has_one | (a["given"] == b["given"]))


def _begins(long: Column, short: Column) -> Column:
    """Whether `long` goes on from `short`: Jean Paul from Jean, John Andrew from John A."""
    return long.startswith(F.concat(short, F.lit(" "))) | (short.rlike(r" [a-z]\z") & long.startswith(short))


def _near(a: Column, b: Column) -> Column:
    """One slip of the finger apart, in names of five letters and more; two letters swapped count as one slip.

    The last vowel is no slip: Daniel and Daniela, Mario and Maria, Andrea and Andreas are two people.
    """
    shorter = F.least(F.length(a), F.length(b))
    one_stem = F.regexp_replace(a, "[aeo]s?$", "") == F.regexp_replace(b, "[aeo]s?$", "")
    swapped = F.array_sort(F.split(a, "")) == F.array_sort(F.split(b, ""))
    distance = F.levenshtein(a, b)
    return (shorter >= 4) & ~one_stem & (((distance <= 1) & (shorter >= 5)) | ((distance == 2) & swapped))


def _near_births(a: Column, b: Column) -> Column:
    """Equal, one digit wrong, or day and month swapped; null where one is missing."""
    swapped = (F.year(a) == F.year(b)) & (F.month(a) == F.day(b)) & (F.day(a) == F.month(b))
    return (F.levenshtein(a.cast("string"), b.cast("string")) <= 1) | swapped


def _month_day(who: Column) -> Column:
    return F.date_format(who["birth_date"], "MM-dd")


def _initial(a: Column, b: Column) -> Column:
    is_one = (F.length(a) == 1) | (F.length(b) == 1)
    return is_one & (F.substring(a, 1, 1) == F.substring(b, 1, 1))


def _sure(condition: Column) -> Column:
    return F.coalesce(condition, F.lit(False))


def _accents() -> tuple[str, str]:
    """Accented small Latin letters, and the plain ones in their places."""
    strokes = {"ø": "o", "đ": "d", "ł": "l", "ı": "i", "ð": "d"}
    found = {}
    for code in (*range(0xDF, 0x250), *range(0x1E00, 0x1F00)):
        letter = chr(code)
        base = unicodedata.normalize("NFD", letter)[0]
        if letter.islower() and base != letter and base.isascii():
            found[letter] = base
    found.update(strokes)
    return "".join(found), "".join(found.values())
