"""Companies that customers belong to."""

import re

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.gold.config import ATTRIBUTES, AccountRule
from cdp.gold.households import plain_letters
from cdp.gold.members import with_lasting_ids
from cdp.identity.values import PLACEHOLDERS

_LEGAL_FORMS = (
    *("ltd", "limited", "llc", "llp", "lp", "plc", "inc", "incorporated", "corp", "corporation", "co", "company", "pty"),
    *("gmbh", "mbh", "ag", "kg", "kgaa", "ohg", "ug", "gbr", "ev", "se", "sas", "sasu", "sarl", "sa", "eurl", "sci", "snc"),
    *("spa", "srl", "sl", "slu", "sau", "bv", "nv", "vof", "ab", "oy", "oyj", "as", "aps", "lda", "ltda", "doo", "sro", "zoo"),
)

_NO_COMPANY = (
    *("no", "nocompany", "nocompanyname", "notapplicable", "notprovided", "noneyet", "nothing", "personal", "private"),
    *("privateperson", "individual", "consumer", "customer", "self", "selfemployed", "freelance", "freelancer", "soletrader"),
    *("student", "retired", "unemployed", "home", "household", "family", "other", "company", "mycompany", "companyname"),
    *("privat", "privatperson", "keine", "keinefirma", "selbststandig", "freiberufler", "rentner", "particulier", "aucun"),
    *("aucune", "sansobjet", "independant", "retraite", "etudiant", "privato", "nessuna", "nessuno", "particular", "ninguna"),
    *("ninguno", "autonomo", "particulare", "geen", "prive", "particuliere", "inconnu", "unbekannt", "desconocido"),
)
"""What people write in the field who belong to no company, as `_folded` leaves it."""


def accounts(profiles: DataFrame, rule: AccountRule, before: DataFrame) -> DataFrame:
    """`gold.accounts` of `gold.profiles`, without what its members did: customers whose company has one name.

    Case, accents, punctuation and legal forms behind the name (Ltd, GmbH & Co. KG, S.A.S.) do not tell companies apart.
    What is written where there is no company (n/a, self-employed) names none.
    An account keeps its id as a household does.

    Args:
        profiles: `gold.profiles`.
        rule: which attribute names the company.
        before: `gold.accounts` as the run before left it.
    """
    company = F.col("attributes")[rule.name.removeprefix(f"{ATTRIBUTES}.")]
    grouped = (
        profiles.select("customer_id", F.trim(company).alias("name"), F.sha2(_folded(company), 256).alias("_key"))
        .where("_key is not null")
        .groupBy("_key")
        .agg(
            F.sort_array(F.collect_list("customer_id")).alias("customer_ids"),
            F.count("*").cast("int").alias("size"),
            F.mode("name", True).alias("name"),
        )
    )
    named = with_lasting_ids(grouped, before, "account_id")
    return named.select("account_id", "name", "customer_ids", "size")


def _folded(name: Column) -> Column:
    """A company's name in lower case words without accents and legal form; null where there is none."""
    # S.A.S. is one word; what else is no letter or digit parts words.
    plain = F.regexp_replace(F.regexp_replace(plain_letters(F.lower(name)), r"\.(?!\p{L}{2})", ""), r"[^\p{L}\p{N}]+", " ")
    words = F.trim(plain)
    bare = F.regexp_replace(words, rf"(?: (?:{'|'.join(_LEGAL_FORMS)}))+\z", "")
    folded = F.replace(bare, F.lit(" "), F.lit(""))
    fills = [re.sub(r"[^a-z0-9]", "", word) for word in PLACEHOLDERS]
    is_none = folded.isin(*fills, *_NO_COMPANY) | folded.rlike(r"\A(?:x{2,}|(\d)\1+)\z")
    return F.when(~is_none, folded)
