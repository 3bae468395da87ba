"""Which characters the bytes of an extract stand for."""

import codecs
import re
import unicodedata

from cdp.base.errors import UsageError

_LOOKED_AT = 1 << 18
# What western European text holds besides ASCII; bytes that come out as these are Latin-1 or its Windows sister.
_WESTERN = frozenset("àâäãåáæçéèêëíìîïñóòôöõøœúùûüýÿßÀÂÄÃÅÁÆÇÉÈÊËÍÌÎÏÑÓÒÔÖÕØŒÚÙÛÜÝŸ€£§°ªº«»¿¡’‘“”–—…·´²³½¼©®™ \u00a0")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_UTF8 = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH = re.compile(rb"[\x80-\xff]")
# Control characters that people take for delimiters.
_SEPARATORS = re.compile(r"[\x01-\x03\x1c-\x1f]")


def decode(file: object, data: bytes) -> tuple[str, str, str | None]:
    """Text of an extract's first bytes.

    Args:
        file: what to call it in an error.
        data: bytes, perhaps cut within a character.

    Returns:
        The text without byte order mark, its encoding as Java names it, and what to check about that, if anything.

    Raises:
        UsageError: the bytes are no text.
    """
    encoding, note = _encoding_of(data)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(data).removeprefix("\ufeff")
    start = text[:_LOOKED_AT]
    odd = len(_CONTROLS.findall(start)) - len(_SEPARATORS.findall(start))
    if not start.strip() or odd > len(start) / 1000 or "\x00" in start:
        raise UsageError(f"{file}: found bytes that are no text, wanted csv, json or parquet")
    return text, encoding, note


def _encoding_of(data: bytes) -> tuple[str, str | None]:
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "UTF-32", None
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16", None
    start = data[:_LOOKED_AT]
    for encoding, high, low in (("UTF-16LE", start[1::2], start[::2]), ("UTF-16BE", start[::2], start[1::2])):
        if high.count(0) > len(high) / 3 and not low.count(0):  # most text has a zero in every other byte
            return encoding, None
    try:
        codecs.getincrementaldecoder("utf-8")("strict").decode(data)
        return "UTF-8", None
    except UnicodeDecodeError:
        pass
    # Systems that are joined badly mix encodings in one file: then it is what most of it is.
    others, valid = _UTF8.subn(b"", data)
    broken = len(_HIGH.findall(others))
    if valid > broken:
        return "UTF-8", f"{broken:,} bytes are no UTF-8, and will be read as \ufffd"
    encoding, note = _single_byte(others)
    if valid and not note:
        note = f"{valid:,} characters seem to be UTF-8 in the midst of {encoding}, and will be read as two letters each"
    return encoding, note


def _single_byte(data: bytes) -> tuple[str, str | None]:
    # Only what is not ASCII tells encodings apart, and it may stand far behind the first bytes.
    telling = b"\n".join(m.group() for m in re.finditer(rb"[^\n]*[\x80-\xff][^\n]*", data))[:_LOOKED_AT]
    western = telling.decode("windows-1252", errors="replace")
    beyond = [c for c in western if ord(c) > 127]
    plain = "windows-1252" if re.search(rb"[\x80-\x9f]", telling) else "ISO-8859-1"
    if sum(c in _WESTERN for c in beyond) >= 0.95 * len(beyond) and _reads_as_words(western):
        return plain, None
    from charset_normalizer import from_bytes

    best = from_bytes(telling).best()
    if best is None or best.encoding in ("ascii", "utf_8", "latin_1", "cp1252"):
        return plain, f"the encoding is not sure; {plain} reads every byte as something"
    return codecs.lookup(best.encoding).name, "the encoding is a guess by the frequency of letters"


def _reads_as_words(text: str) -> bool:
    """Whether accented letters stand beside letters of their own case, as in words."""
    pairs = re.findall(r"([a-z])([^\x00-\x7f])", text)
    odd = sum(unicodedata.category(second) == "Lu" for _, second in pairs)
    return odd <= len(pairs) / 10
