"""Whether a source still sends: the age of its newest file against what it promises."""

from datetime import datetime, timedelta

from cdp.base.files import FoundFile
from cdp.bronze.config import Age, SourceConfig


def freshness(source: SourceConfig, files: list[FoundFile], now: datetime) -> tuple[list[str], list[str]]:
    """Notes and broken rules for a source whose newest file is too old."""
    if not source.freshness or not files:
        return [], []
    age = now - max(f.modified_at for f in files)
    text = f"{source.name}: newest {'row' if source.jdbc else 'file'} is {age.total_seconds() / 3600:.0f} hours old"
    if source.freshness.error_after and age > _span(source.freshness.error_after):
        return [], [text]
    if source.freshness.warn_after and age > _span(source.freshness.warn_after):
        return [text], []
    return [], []


def _span(age: Age) -> timedelta:
    return timedelta(**{f"{age.period}s": age.count})
