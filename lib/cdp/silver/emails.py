"""E-mail addresses: one form, the key under which a provider knows the mailbox, and what speaks against an address."""

from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F

from cdp.base.sql import literal, words
from cdp.silver.folding import arrow_function
from cdp.silver.text import found

_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~\x{80}-\x{10FFFF}-]+"
_LOCAL = rf'(?:{_ATOM}(?:\.{_ATOM})*|"[^"@\\\x{{00}}-\x{{1F}}]+")'
_LABEL = r"(?:[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}])?)"
# A local part, an @ and a domain of labels, the last of letters; \z: a final line break does not slip in.
_ADDRESS = rf"\A(?=.{{1,64}}@){_LOCAL}@(?:{_LABEL}\.)+(?:xn--[a-z0-9-]{{2,59}}|\p{{L}}[\p{{L}}\p{{M}}]{{1,62}})\z"
# Most are sound as they come: one pattern in place of seven.
_USUAL = r"\A[a-z0-9_%+-]{1,30}(?:\.[a-z0-9_%+-]{1,30})?@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}\z"
_PLAIN = rf"\A{_ATOM}(?:\.{_ATOM})*@[a-z0-9.-]+\z"

_GMAIL = ("gmail.com", "googlemail.com")
# What stands behind a + before the @ reaches the same mailbox, by the providers' own pages.
_PLUS = (
    r"@(?:(?:outlook|hotmail|live|passport)\.(?:[a-z]{2,3}|com?\.[a-z]{2})|msn\.com|windowslive\.com|icloud\.com|me\.com|mac\.com"
    r"|fastmail\.(?:com|fm|net|org|de|es|fr|co\.uk)|proton\.me|protonmail\.(?:com|ch)|pm\.me|yandex\.(?:ru|com|by|kz|ua|com\.tr)"
    r"|ya\.ru|zoho\.(?:com|eu)|zohomail\.(?:com|eu)|hey\.com|posteo\.(?:de|net|org|eu|at|ch)|mailbox\.org|runbox\.com|pobox\.com)\z"
)
# Yahoo's addresses for one purpose are `name-purpose`; no name of its own has a hyphen.
_HYPHEN = r"@(?:yahoo\.(?:[a-z]{2,3}|com?\.[a-z]{2,3})|ymail\.com|rocketmail\.com|myyahoo\.com)\z"
# One mailbox under each of them.
_SAME = {
    "googlemail.com": "gmail.com", "me.com": "icloud.com", "mac.com": "icloud.com", "protonmail.com": "proton.me",
    "protonmail.ch": "proton.me", "pm.me": "proton.me", "ya.ru": "yandex.ru", "yandex.com": "yandex.ru",
    "yandex.by": "yandex.ru", "yandex.kz": "yandex.ru", "yandex.ua": "yandex.ru",
}  # fmt: skip

_ROLES = (
    *("abuse", "accounting", "accounts", "admin", "administration", "administrator", "billing", "booking", "bookings"),
    *("buchhaltung", "bonjour", "contact", "contacto", "contatti", "commercial", "compta", "comptabilite", "customercare"),
    *("customerservice", "datenschutz", "direction", "donotreply", "dpo", "einkauf", "empfang", "enquiries", "enquiry"),
    *("facturacion", "feedback", "finance", "hello", "help", "helpdesk", "hola", "hostmaster", "hr", "info", "infos"),
    *("informacion", "information", "inquiries", "jobs", "kontakt", "mail", "mailer-daemon", "marketing", "media"),
    *("newsletter", "noreply", "no-reply", "no_reply", "nepasrepondre", "office", "order", "orders", "pedidos"),
    *("personal", "postmaster", "presse", "press", "privacy", "purchasing", "reception", "recepcion", "recruitment"),
    *("rechnung", "reservation", "reservations", "reservas", "root", "sales", "sav", "security", "secretariat"),
    *("sekretariat", "service", "serviceclient", "shop", "soporte", "staff", "support", "team", "tech", "technik"),
    *("tienda", "unsubscribe", "ventas", "verkauf", "vertrieb", "webmaster", "welcome", "zentrale"),
)
ROLE, DISPOSABLE = "role", "disposable"


def email_form(text: Column) -> Column:
    """A valid address in its one form; null otherwise.

    Taken off: `mailto:` and what follows a `?`, a name before `<address>`, quotes and punctuation around it, a full stop
    behind the domain. In lower case; a domain with letters beyond ASCII in its ASCII form (`xn--...`).
    """
    return F.when(text.rlike(_USUAL) & (F.length(text) <= 254), text).otherwise(_mended(text))


def _mended(text: Column) -> Column:
    bare = F.regexp_replace(F.lower(text), r"[\s\x{A0}\x{AD}\x{200B}-\x{200F}\x{2060}\x{FEFF}]+\z|\A[\s\x{A0}\x{200B}\x{FEFF}]+", "")
    wrapped = F.regexp_replace(bare, r"\A[^<>]*<\s*([^<>]*?)\s*>[\s.,;]*\z", "$1")
    inner = F.regexp_replace(wrapped, r"\A[\s'(\[,;:]*(?:mailto:\s*)?|(?:\?[^@?]*)?[\s')\],;:.]*\z", "")
    plain = F.regexp_replace(inner, rf'\A"({_ATOM}(?:\.{_ATOM})*(?:@[^"]*)?)"', "$1")
    return F.get(F.transform(F.array(plain), _if_sound), F.lit(0))


def _if_sound(address: Column) -> Column:
    at = F.length(F.substring_index(address, "@", 1)) + 1
    domain = F.substring_index(address, "@", -1)
    # Java's IDN would make ss of ß, which is another domain: those with it stay in letters.
    ascii_form = F.coalesce(F.try_reflect(F.lit("java.net.IDN"), F.lit("toASCII"), domain), domain)
    in_ascii = F.concat(F.substr(address, F.lit(1), at), F.lower(ascii_form))
    is_plain = address.rlike(_PLAIN) | domain.rlike(r"[ßς\x{200C}\x{200D}]")
    one = F.when(is_plain, address).otherwise(in_ascii)
    return F.when(address.rlike(_ADDRESS) & (F.length(address) <= 254) & one.rlike(_ADDRESS), one)


def pieces(texts: str) -> str:
    """SQL: an array of the addresses in an array of texts, those that share a text apart: `a@x.fr; b@y.fr`; no blanks."""
    several = f"flatten(transform({texts}, t -> CASE WHEN t RLIKE '@.*[,;|].*@' THEN split(t, '[,;|]') ELSE array(t) END))"
    is_one = f"array_join({texts}, ' ') NOT RLIKE '[,;|]'"
    return f"filter(CASE WHEN {is_one} THEN {texts} ELSE {several} END, t -> trim(t) != '')"


def email_key(address: str) -> str:
    """SQL: the key of an address in its one form: two addresses of one key reach one mailbox.

    Gmail ignores dots and what follows a +, others what follows a + (Yahoo a -); addresses of unknown providers are their
    own keys.
    """
    local, domain = f"substring_index({address}, '@', 1)", f"substring_index({address}, '@', -1)"
    same = " ".join(f"WHEN {literal(one)} THEN {literal(other)}" for one, other in _SAME.items())
    home = f"CASE {domain} {same} ELSE {domain} END"
    ways = {
        f"{domain} IN ({words(_GMAIL)})": f"replace(substring_index({local}, '+', 1), '.', '')",
        found(address, _PLUS): f"substring_index({local}, '+', 1)",
        found(address, _HYPHEN): f"substring_index({local}, '-', 1)",
    }
    # Nothing before the sign: no tag.
    cases = " ".join(
        f"WHEN {condition} THEN concat(coalesce(nullif({name}, ''), {local}), '@', {home})" for condition, name in ways.items()
    )
    return f"CASE {cases} ELSE {address} END"


def email_flag(address: str, is_disposable: str) -> str:
    """SQL: what an address is: `role` (info@, noreply@: nobody's own), `disposable`, both with a space, or empty."""
    local = f"substring_index(substring_index({address}, '@', 1), '+', 1)"
    role = f"CASE WHEN {local} IN ({words(_ROLES)}) THEN '{ROLE}' END"
    return f"concat_ws(' ', {role}, CASE WHEN {is_disposable} THEN '{DISPOSABLE}' END)"


def disposable(addresses: Column) -> Column:
    """For each address of an array, whether its provider gives addresses away for minutes; an array of booleans.

    The ten thousand domains stay out of the plan: Arrow looks a batch up at once.
    """
    lists: list[Any] = []

    def looked_up(batch: Any) -> Any:
        import pyarrow as pa
        import pyarrow.compute as pc

        if not lists:
            from disposable_email_domains import blocklist

            lists.append(pa.array(sorted(blocklist), pa.string()))
        domains = pc.replace_substring_regex(batch.flatten(), pattern="^.*@", replacement="")
        hits = pc.is_in(domains, value_set=lists[0])
        lengths = pc.fill_null(pc.list_value_length(batch), 0)
        offsets = pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(lengths).cast(pa.int32())])
        return pa.ListArray.from_arrays(offsets, hits)

    return arrow_function(looked_up, "array<boolean>")(addresses)  # type: ignore[no-any-return]
