"""What a source is called and where its files lie, by the name of one of them."""

import re
from pathlib import Path

from anyascii import anyascii

_ENDINGS = (".gz", ".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".json", ".parquet", ".snappy", ".zstd")
_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
# A date or running number stands apart, or is long; the 2 of `crm2` belongs to the name.
_RUNNING = re.compile(rf"{_UUID}|(?<![A-Za-z])\d+(?:[T._-]?\d+)*Z?|(?<=[A-Za-z])\d{{4,}}(?:[._-]?\d+)*")
_GENERIC = frozenset("part data export extract file output dump batch full delta c t z".split())
_LANDING = "landing"


def source_name(path: Path, folder: Path | None) -> str:
    """Name of the source: the file's in small letters, without dates, numbers and endings; else its folder's."""
    candidates = [_stem(path.name), path.resolve().parent.name]
    if folder is not None:
        candidates.insert(0, folder.resolve().name)
    for candidate in candidates:
        words = re.findall(r"[a-z]+\d*|\d+", _spaced(_RUNNING.sub(" ", anyascii(candidate))).lower())
        if words and not words[0][0].isalpha():
            words = words[1:]
        if words and not set(words) <= _GENERIC:
            name = "_".join(words)[:60].rstrip("_")
            return f"{name}_extract" if name == "quarantine" else name
    return "extract"


def source_path(path: Path, folder: Path | None, name: str) -> str:
    """Glob pattern of the source's files below the landing folder, as far as their place tells that."""
    ending = "".join(path.name[len(_stem(path.name)) :])
    parents = list(path.parts[:-1])
    if _LANDING in parents:
        below = parents[len(parents) - parents[::-1].index(_LANDING) :]
    else:
        below = [part for part in parents[-1:] if part not in ("/", "..", ".")]
    own_folder = folder is not None or (below and _snake(below[-1]) == name)
    file = f"*{ending}" if own_folder else _RUNNING.sub("*", _stem(path.name)) + ending
    return "/".join(_escaped(part) for part in [*below, re.sub(r"\*[-._*]*\*|\*+", "*", file)])


def _stem(name: str) -> str:
    stem = name
    while (ending := next((e for e in _ENDINGS if stem.lower().endswith(e) and len(stem) > len(e)), None)) is not None:
        stem = stem[: -len(ending)]
    return stem


def _spaced(text: str) -> str:
    return re.sub(r"([a-z\d])([A-Z])", r"\1 \2", text)


def _snake(text: str) -> str:
    return "_".join(re.findall(r"[a-z]+\d*|\d+", _spaced(text).lower()))


def _escaped(part: str) -> str:
    # What a glob would read as a sign of its own stands for any one character.
    return "".join("?" if c in "[]{}?\\," or not c.isprintable() or c == "$" else c for c in part)
