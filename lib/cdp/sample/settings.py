"""What can be chosen about the sample retailer, and what is reported back."""

from pydantic import BaseModel, ConfigDict, Field


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Mess(_Strict):
    """How often each kind of real-life trouble occurs. A rate of 0 switches the kind off."""

    typo: float = Field(default=0.05, ge=0, le=1)
    """Share of customer records with two letters swapped, one lost or one doubled in name, street or e-mail."""
    nickname: float = Field(default=0.06, ge=0, le=1)
    """Share of customer records that hold the short form of a given name (where there is one)."""
    swapped_names: float = Field(default=0.015, ge=0, le=1)
    """Share of customer records with given and family name in each other's place."""
    married_name: float = Field(default=0.04, ge=0, le=1)
    """Share of women whose family name changed at some date; older records keep the former one."""
    move: float = Field(default=0.10, ge=0, le=1)
    """Share of persons who moved to another address at some date."""
    shared_email: float = Field(default=0.08, ge=0, le=1)
    """Share of homes of two or more whose members give one family e-mail."""
    shared_device: float = Field(default=0.12, ge=0, le=1)
    """Share of homes of two or more who browse on one device (one anonymous id)."""
    namesake: float = Field(default=0.04, ge=0, le=1)
    """Share of homes of two or more with father and son of one name (half of the records say Sr/Jr)."""
    twins: float = Field(default=0.02, ge=0, le=1)
    """Share of homes of two or more with twins: same family name, birth date, address, initial."""
    placeholder: float = Field(default=0.02, ge=0, le=1)
    """Share of customer records with na@na.com, 0000000000 or 1900-01-01 in place of a value."""
    day_month_swap: float = Field(default=0.02, ge=0, le=1)
    """Share of customer records whose birth date has day and month exchanged."""
    recycled_phone: float = Field(default=0.01, ge=0, le=1)
    """Share of persons whose phone number was somebody else's before."""
    late: float = Field(default=0.02, ge=0, le=1)
    """Share of events and receipts that arrive one to four days after they happened."""
    duplicate_rows: float = Field(default=0.01, ge=0, le=1)
    """Share of lines that are exported twice, byte for byte."""
    duplicate_records: float = Field(default=0.04, ge=0, le=1)
    """Share of a source's persons who have a second record there under another key."""
    broken_lines: float = Field(default=0.002, ge=0, le=1)
    """Share of lines that cannot be read: JSON cut off, wrong number of CSV columns."""
    mixed_encoding: float = Field(default=0.05, ge=0, le=1)
    """Share of the CSV lines with accents that are in the other encoding than their file."""
    missing_fields: float = Field(default=0.08, ge=0, le=1)
    """Share of customer records, for each of e-mail, phone, birth date and address, that lack it."""
    phone_format: float = Field(default=0.5, ge=0, le=1)
    """Share of customer records whose phone is written in a local way instead of +<country><number>."""
    address_abbreviation: float = Field(default=0.2, ge=0, le=1)
    """Share of customer records with av., bd, str., St in place of the word."""
    letter_case: float = Field(default=0.06, ge=0, le=1)
    """Share of customer records typed in capitals, or with stray blanks."""
    other_script: float = Field(default=0.03, ge=0, le=1)
    """Share of homes whose names are Greek, Cyrillic, Arabic or Chinese in some systems, romanised in others."""


class SampleSettings(_Strict):
    """One retailer: the same settings and as-of date always give the same files."""

    persons: int = Field(default=5_000, ge=10, le=10_000_000)
    """Persons who had to do with the retailer by the as-of date (a fifth as many join in the year after)."""
    seed: int = Field(default=42, ge=0, lt=2**31)
    """Another seed is another retailer."""
    history_days: int = Field(default=730, ge=30, le=3_650)
    """Days of history before the as-of date."""
    mess: Mess = Mess()
    """Rates of trouble."""


class SampleSummary(_Strict):
    """What was written."""

    as_of: str
    """The retailer's today: history ends here, truth about the future begins."""
    through: str
    """The last day that the landing folder holds (as_of, or later when days were appended)."""
    persons: int
    seed: int
    history_days: int
    mess_rates: dict[str, float]
    rows: dict[str, int]
    """Lines per extract that this call wrote, headers not counted; broken and repeated lines are."""
    mess: dict[str, int]
    """Records touched by each kind of mess in what this call wrote."""
    files: int
    """Files that this call wrote under the landing folder."""

    @property
    def retailer(self) -> tuple[object, ...]:
        """What tells this retailer from another."""
        return self.as_of, self.persons, self.seed, self.history_days, self.mess_rates
