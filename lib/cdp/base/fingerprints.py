"""What a result was made from, as a hash: settings and the library's own code."""

import hashlib
import json
from datetime import date
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pydantic import BaseModel


def hash_of(parts: dict[str, Any]) -> str:
    """SHA-256 of what JSON holds of some parts, whatever their order."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


@cache
def code_hash() -> str:
    """Hash of the library's own source, and of the lists it reads: a changed transform makes every stage run again."""
    package = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256(library_version().encode())
    for path in sorted((*package.rglob("*.py"), *package.rglob("*.txt"))):
        digest.update(path.relative_to(package).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


@cache
def library_version() -> str:
    try:
        return version("spark-cdp")
    except PackageNotFoundError:
        from cdp import __version__

        return __version__


def plain(settings: Any) -> Any:
    """Settings as JSON holds them."""
    if isinstance(settings, BaseModel):
        return settings.model_dump(mode="json", by_alias=True)
    if isinstance(settings, dict):
        return {str(k): plain(v) for k, v in settings.items()}
    if isinstance(settings, list | tuple):
        return [plain(v) for v in settings]
    return str(settings) if isinstance(settings, date | Path) else settings
