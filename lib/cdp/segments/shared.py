"""conf/segments.yaml: what holds for several segments, or for all of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import Field, field_validator

from cdp.base.settings import Document, Strict, did_you_mean

FILE = "segments.yaml"
EXCLUDE_ALWAYS = "exclude_always"


class Holdout(Strict):
    """A control group: a share of the members that is never delivered, to measure what delivery brings."""

    percent: float = Field(default=0, ge=0, le=100)
    """Share of the members."""
    salt: str | None = None
    """Segments with the same salt hold out the same people; absent: the segment's name."""


class UniversalHoldout(Strict):
    """A control group of all segments together: people whom no segment delivers to."""

    percent: float = Field(default=0, ge=0, le=100)
    """Share of all customers."""
    salt: str = Field(default="everybody", min_length=1)
    """Another salt is another group of people."""


class SharedConfig(Document):
    """conf/segments.yaml: priorities, exclusions and the control group that segments have in common."""

    priorities: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    """Lists of segments, the most important first: somebody is in the first of a list that would have them, and in no other of it."""
    exclude_always: tuple[str, ...] = ()
    """Segments whose members are in no other segment, except where that one says `ignore_exclusions: true`."""
    holdout: UniversalHoldout = UniversalHoldout()
    """Universal control group."""

    @field_validator("priorities")
    @classmethod
    def _lists_have_two(cls, lists: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
        short = next((name for name, names in lists.items() if len(names) < 2), None)
        if short is not None:
            raise ValueError(
                f"{short}: wanted two segments or more, the most important first, found {len(lists[short])}"
            )
        return lists

    def of(self, name: str, *, ignores_exclusions: bool) -> "Shared":
        """What holds for a segment. Those that exclude always do not exclude each other."""
        barred: dict[str, str] = {}
        if not ignores_exclusions and name not in self.exclude_always:
            barred |= dict.fromkeys(self.exclude_always, EXCLUDE_ALWAYS)
        for title, names in self.priorities.items():
            before = names[: names.index(name)] if name in names else ()
            barred = {**dict.fromkeys(before, f"priorities.{title}"), **barred}
        return Shared(barred, self.holdout)


@dataclass(frozen=True)
class Shared:
    """What conf/segments.yaml means for one segment.

    Attributes:
        barred: segments whose members are not in this one, with the key that says so.
        holdout: the universal control group.
    """

    barred: Mapping[str, str] = field(default_factory=dict)
    holdout: UniversalHoldout = field(default_factory=UniversalHoldout)


def shared_problems(config: SharedConfig, known: Mapping[str, object]) -> Iterator[str]:
    """Names of no segment, and those that stand twice in a list, by key path."""
    lists = {
        EXCLUDE_ALWAYS: config.exclude_always,
        **{f"priorities.{title}": names for title, names in config.priorities.items()},
    }
    for path, names in lists.items():
        for i, name in enumerate(names):
            if name not in known:
                yield f"{path}.{i}: MISSING_SEGMENT_REFERENCE: no segment {name}{did_you_mean(name, sorted(known))}"
            elif name in names[:i]:
                yield f"{path}.{i}: DUPLICATE_NAME: {name} stands in the list already"
