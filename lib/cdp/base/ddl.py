"""Spark's type names, read without Spark: a configuration is checked before a JVM starts."""

import re

_SIMPLE = frozenset(
    "string boolean byte tinyint short smallint int integer long bigint float real double date timestamp"
    " timestamp_ntz timestamp_ltz binary variant decimal dec numeric".split()
)
_SIZED = re.compile(r"(?:decimal|dec|numeric)\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)|(?:varchar|char)\(\s*\d+\s*\)")
_FIELD = re.compile(r"\s*(`[^`]+`|\w+)\s*(?::|\s)\s*(.+)", re.DOTALL)


def is_type(text: str) -> bool:
    """Whether `text` is a Spark SQL type, such as `decimal(12,2)` or `array<struct<sku:string,n:int>>`."""
    kind = text.strip().lower()
    sized = _SIZED.fullmatch(kind)
    if sized:
        precision, scale = int(sized.group(1) or 1), int(sized.group(2) or 0)
        return 1 <= precision <= 38 and scale <= precision
    if kind in _SIMPLE:
        return True
    outer = re.fullmatch(r"(array|map|struct)\s*<(.*)>", kind, re.DOTALL)
    if not outer:
        return False
    parts = _split(outer.group(2))
    if outer.group(1) == "array":
        return len(parts) == 1 and is_type(parts[0])
    if outer.group(1) == "map":
        return len(parts) == 2 and all(is_type(part) for part in parts)
    fields = [_FIELD.fullmatch(part) for part in parts]
    return bool(parts) and all(field is not None and is_type(field.group(2)) for field in fields)


def _split(text: str) -> list[str]:
    """Split at the commas that are in no brackets."""
    parts, depth, start = [], 0, 0
    for position, character in enumerate(text):
        depth += (character in "<(") - (character in ">)")
        if character == "," and depth == 0:
            parts.append(text[start:position])
            start = position + 1
    parts.append(text[start:])
    return [part for part in parts if part.strip()]
