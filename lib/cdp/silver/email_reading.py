"""E-mail addresses read in plain Python, just as `cdp.silver.emails.email_form` reads them with Spark. Tests hold them together."""

import re
import stringprep
import unicodedata
from encodings import idna

_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~\x80-\U0010FFFF-]+"
_SPACE = r" \t\n\x0b\f\r"
_USUAL = re.compile(
    r"[a-z0-9_%+-]{1,30}(?:\.[a-z0-9_%+-]{1,30})?@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", re.ASCII
)
_AROUND = re.compile(rf"[{_SPACE}\xa0\xad\u200b-\u200f\u2060\ufeff]+\Z|\A[{_SPACE}\xa0\u200b\ufeff]+")
_WRAPPED = re.compile(rf"\A[^<>]*<[{_SPACE}]*([^<>]*?)[{_SPACE}]*>[{_SPACE}.,;]*\Z")
_LEADING = re.compile(rf"\A[{_SPACE}'(\[,;:]*(?:mailto:[{_SPACE}]*)?")
_TRAILING = re.compile(rf"(?:\?[^@?]*)?[{_SPACE}')\],;:.]*\Z")
_QUOTED = re.compile(rf'\A"({_ATOM}(?:\.{_ATOM})*(?:@[^"]*)?)"')
_PLAIN = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@[a-z0-9.-]+")
_LOCAL = re.compile(rf'{_ATOM}(?:\.{_ATOM})*|"[^"@\\\x00-\x1f]+"')
_DOTS = re.compile("[.\u3002\uff0e\uff61]")
_ENDS_OF_LINES = re.compile("[\n\r\x85\u2028\u2029]")
_OWN_DOMAINS = re.compile("[ßς\u200c\u200d]")
# Letters, marks and digits beyond ASCII stand as L, M and N, which no domain in small letters has.
_LABEL = "(?:[a-z0-9LN](?:[a-z0-9LMN-]{0,61}[a-z0-9LMN])?)"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+(?:xn--[a-z0-9-]{{2,59}}|[a-zL][a-zLM]{{1,62}})", re.ASCII)


def address_in(text: str) -> str | None:
    """The one form of the address that a text is; None where it is none."""
    if len(text) <= 254 and _USUAL.fullmatch(text):
        return text
    bare = _AROUND.sub("", text.lower())
    inner = _WRAPPED.sub(r"\1", bare)
    inner = _TRAILING.sub("", _LEADING.sub("", inner), count=1)
    address = _QUOTED.sub(r"\1", inner)
    if len(address) > 254 or not _is_address(address):
        return None
    local, _, domain = address.partition("@")
    if _PLAIN.fullmatch(address) or _OWN_DOMAINS.search(domain):
        return address
    found = f"{local}@{_in_ascii(domain).lower()}"
    return found if _is_address(found) else None


def _is_address(text: str) -> bool:
    local, at, domain = text.partition("@")
    if not at or not 1 <= len(local) <= 64 or _ENDS_OF_LINES.search(local):
        return False
    return bool(_LOCAL.fullmatch(local)) and bool(_DOMAIN.fullmatch("".join(map(_kind, domain))))


def _kind(letter: str) -> str:
    if letter.isascii():
        # A capital here is no letter of a domain in small ones.
        return " " if letter.isupper() else letter
    kind = unicodedata.category(letter)[0]
    return kind if kind in "LMN" else " "


def _in_ascii(domain: str) -> str:
    """As `java.net.IDN.toASCII`; the domain as it is where that refuses it."""
    if any(stringprep.in_table_a1(letter) for letter in domain):
        return domain  # given out after Unicode 3.2
    try:
        return ".".join(idna.ToASCII(label).decode() for label in _DOTS.split(domain))
    except UnicodeError:
        return domain
