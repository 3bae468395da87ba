"""Names as they are compared: folded to plain letters, and what they are short for."""

import unicodedata

from pyspark.sql import Column
from pyspark.sql import functions as F

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
