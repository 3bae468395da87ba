"""Pages from templates. Everything in them is escaped; none has a script."""

from functools import cache
from importlib.resources import files

from jinja2 import Environment

from cdp.base.templates import templates
from cdp.lookup.words import day, details, money, own_traits, pieces, said, share


def render(name: str, **values: object) -> str:
    """A page as HTML."""
    return _environment().get_template(f"{name}.html.j2").render(**values)


@cache
def style() -> str:
    """The style sheet of all pages."""
    return files("cdp.lookup").joinpath("templates", "style.css").read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = templates("cdp.lookup", "templates")
    environment.filters.update(said=said, day=day, details=details, money=money, share=share, pieces=pieces, spoken=_spoken, own=own_traits)
    return environment


def _spoken(name: str) -> str:
    """A column's or segment's name as words: `email_marketing` is Email marketing."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]
