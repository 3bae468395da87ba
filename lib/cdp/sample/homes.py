"""Who lives with whom: homes are a function of a person's number alone, so no join is ever needed.

Persons come in blocks of ten; a block's hash chooses how it falls into homes.
"""

from dataclasses import dataclass

import numpy as np

from cdp.sample.chance import Array
from cdp.sample.places import COUNTRIES
from cdp.sample.world import World

_LAYOUTS = (
    (1, 1, 1, 1, 2, 2, 2),
    (1, 1, 1, 1, 1, 2, 3),
    (1, 1, 2, 2, 4),
    (1, 1, 1, 1, 1, 1, 2, 2),
    (2, 2, 2, 2, 2),
    (1, 1, 1, 3, 4),
)
_HOME = np.array([[i for i, size in enumerate(layout) for _ in range(size)] for layout in _LAYOUTS])
_PLACE = np.array([[p for size in layout for p in range(size)] for layout in _LAYOUTS])
_SIZE = np.array([[size for size in layout for _ in range(size)] for layout in _LAYOUTS])


@dataclass(frozen=True)
class Homes:
    """For each person: the home, the place in it (0 is its head) and what kind of home it is."""

    home: Array
    place: Array
    size: Array
    country: Array
    flatmates: Array
    namesake: Array  # father (place 0) and son (place 1) of one name
    twins: Array  # places 0 and 1
    script: Array  # index of another script, or -1
    shared_email: Array
    shared_device: Array


def country_of(world: World, home: Array) -> Array:
    cumulative = np.cumsum([country.share for country in COUNTRIES])
    return np.minimum(np.searchsorted(cumulative, world.uniform("country", home)), len(COUNTRIES) - 1)


def home_of(world: World, ids: Array) -> tuple[Array, Array, Array]:
    """Home, place and size."""
    block, seat = ids // 10, ids % 10
    layout = (world.uniform("layout", block) * len(_LAYOUTS)).astype(int)
    return block * 10 + _HOME[layout, seat], _PLACE[layout, seat], _SIZE[layout, seat]


def homes(world: World, ids: Array) -> Homes:
    home, place, size = home_of(world, ids)
    several = size >= 2
    mess = world.mess
    namesake = several & (world.uniform("namesake", home) < mess.namesake)
    twins = several & ~namesake & (world.uniform("twins", home) < mess.twins)
    flatmates = (size == 2) & ~namesake & ~twins & (world.uniform("flatmates", home) < 0.15)
    script = np.where(
        world.uniform("script", home) < mess.other_script,
        (world.uniform("which script", home) * 4).astype(int),
        -1,
    )
    return Homes(
        home, place, size, country_of(world, home), flatmates, namesake, twins, script,
        several & ~flatmates & (world.uniform("shared email", home) < mess.shared_email),
        several & (world.uniform("shared device", home) < mess.shared_device),
    )  # fmt: skip
