"""`cdp lookup`: one person by one option, on a terminal or as JSON."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from cdp.base.errors import CdpError, UsageError
from cdp.lookup.ask import Asked, asked, typed_id
from cdp.lookup.find import Found, check_type, find
from cdp.lookup.mask import masked_person, told_match
from cdp.lookup.person import person
from cdp.lookup.read import Row, Tables
from cdp.lookup.show import show_matches, show_person
from cdp.lookup.words import as_json
from cdp.tables.gold import LOOKUP_KEYS, PROFILES


class Nobody(CdpError):
    """Nobody was found. Exit code 1."""


def lookup(lake: Path, given: Mapping[str, str | None], *, country: str | None, in_json: bool, show_pii: bool) -> None:
    """Print who is found.

    Args:
        lake: the folder of the tables.
        given: what was typed, by option; exactly one is.
        country: of a phone number in local form.
        in_json: as JSON, in the shape of docs/lookup.md.
        show_pii: whether personal values stand as they are.

    Raises:
        UsageError: an option is wrong, or there is no lake.
        Nobody: nobody was found.
    """
    wanted = _asked(given, country)
    tables = Tables(lake, PROFILES, LOOKUP_KEYS)
    found = find(tables, wanted)
    if not found.matches:
        check_type(tables, wanted, option=next(option for option, text in given.items() if text is not None))
    one = person(tables, found.matches[0].customer_id) if len(found.matches) == 1 else None
    if in_json:
        print(json.dumps(shape(found, one, show_pii=show_pii), default=as_json, ensure_ascii=False, indent=2))
    if not found.matches:
        raise Nobody(f"nobody has {f'the {wanted.kind} {wanted.text}' if show_pii else f'this {wanted.kind}'}")
    if in_json:
        return
    console = Console()
    if one is None:
        show_matches([told_match(match, show_pii=show_pii) for match in found.matches], found.more, console)
    else:
        show_person(one if show_pii else masked_person(one), console)


def shape(found: Found, one: Row | None, *, show_pii: bool) -> Row:
    """What `--json` prints: `matches`, whether there are `more`, and all of the `customer` where it is one."""
    return {
        "matches": [told_match(match, show_pii=show_pii) for match in found.matches],
        "more": found.more,
        "customer": one if one is None or show_pii else masked_person(one),
    }


def _asked(given: Mapping[str, str | None], country: str | None) -> Asked:
    typed = {option: text for option, text in given.items() if text is not None}
    if len(typed) != 1:
        raise UsageError(f"found {len(typed) or 'none'} of {', '.join(given)}; wanted exactly one")
    option, text = next(iter(typed.items()))
    if text == "-":
        # What stands in a command is seen by others on the machine and kept by the shell.
        text = sys.stdin.readline()
    if country is not None and option != "--phone":
        raise UsageError("--country: it tells how a --phone is meant, and there is none")
    if option == "--id":
        return typed_id(text, option=option)
    return asked(option[2:].replace("-", "_"), text, option=option, country=country)
