"""Disjoint sets: what has become one with what."""

from collections.abc import Hashable
from typing import Generic, TypeVar

Member = TypeVar("Member", bound=Hashable)


class DisjointSets(Generic[Member]):
    """Sets that grow together. Each goes by one of its members; whatever was never joined is a set by itself.

    Source:
        Galler and Fischer (1964), An Improved Equivalence Algorithm, CACM 7; with paths halved on the way.
    """

    def __init__(self) -> None:
        self._into: dict[Member, Member] = {}

    def root(self, member: Member) -> Member:
        """The member by which the set goes."""
        into = self._into
        while (above := into.setdefault(member, member)) != member:
            into[member] = member = into[above]
        return member

    def join(self, one: Member, other: Member) -> bool:
        """Make one set of the sets of both, which goes by the root of `one`; says whether they were two."""
        root, other = self.root(one), self.root(other)
        self._into[other] = root
        return root != other

    def roots(self) -> dict[Member, Member]:
        """Each member that was asked for, and its root."""
        return {member: self.root(member) for member in list(self._into)}
