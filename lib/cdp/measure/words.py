"""Numbers as the report writes them: thousands apart, units beside them, a dash for what is not known."""

from dataclasses import dataclass
from datetime import datetime, timezone

MISSING = "–"
_SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$"}


def number(value: float | None, decimals: int = 0) -> str:
    """1,234 or, with decimals, 1,234.50."""
    return MISSING if value is None else f"{value:,.{decimals}f}".replace("-", "−")


def share(value: float | None) -> str:
    """34.5 %."""
    return MISSING if value is None else f"{100 * value:,.1f} %"


def times(value: float | None) -> str:
    """3.2×."""
    return MISSING if value is None else f"{value:,.1f}×"


def signed(value: float | None) -> str:
    """+12, −3 or 0."""
    if value is None:
        return MISSING
    return f"+{number(value)}" if value > 0 else number(value)


def day(epoch: float | None) -> str:
    """A day of a time in seconds since 1970, UTC."""
    if epoch is None:
        return MISSING
    then = datetime.fromtimestamp(epoch, tz=timezone.utc)
    return f"{then.day} {then:%B %Y}"


def month(first: str) -> str:
    """`2026-11-01` as `Nov 26`."""
    return datetime.strptime(first, "%Y-%m-%d").strftime("%b %y")


@dataclass(frozen=True)
class Money:
    """Amounts in one currency.

    Attributes:
        currency: ISO 4217 code.
    """

    currency: str

    def __call__(self, value: float | None, decimals: int = 0) -> str:
        """€1,234; codes without a common sign stand before the number with a space."""
        if value is None:
            return MISSING
        rounded = round(value, decimals) or 0.0
        sign = "−" if rounded < 0 else ""
        symbol = _SYMBOLS.get(self.currency, f"{self.currency}\u00a0")
        return f"{sign}{symbol}{abs(rounded):,.{decimals}f}"

    def short(self, value: float) -> str:
        """€1.2k or €3M, for an axis."""
        for unit, name in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
            if abs(value) >= unit:
                return f"{self(value / unit, 1).removesuffix('.0')}{name}"
        return self(value)
