"""Columns that are named by a path into nested objects, such as `address.city`."""

from collections.abc import Iterable

from pyspark.sql import Column
from pyspark.sql import functions as F

Tree = dict[str, "Tree"]
"""Names of a level, each with those below it."""
_OBJECT = "map<string,string>"
_STRICT = {"allowSingleQuotes": "false"}


def tree_of(names: Iterable[str]) -> Tree:
    """The declared names by level. `address` and `address.city` may both be there."""
    tree: Tree = {}
    for name in names:
        level = tree
        for part in name.split("."):
            level = level.setdefault(part, {})
    return tree


def object_of(text: Column) -> Column:
    """The fields of a JSON object as text; null where it is none."""
    return F.from_json(text, _OBJECT, _STRICT)


def below(fields: Column, tree: Tree, path: str = "") -> dict[str, Column]:
    """The value of every name of the tree, by its path. A key that holds the dots itself wins over a nested one."""
    found: dict[str, Column] = {}
    for part, deeper in tree.items():
        name = f"{path}{part}"
        found[name] = F.try_element_at(fields, F.lit(part))
        for inner, value in below(object_of(found[name]), deeper, f"{name}.").items() if deeper else ():
            found[inner] = value if path else F.coalesce(F.try_element_at(fields, F.lit(inner)), value)
    return found


def left_over(fields: Column, tree: Tree, declared: Iterable[str]) -> Column:
    """What no declared name takes: undeclared keys, and undeclared parts of objects of which a part is declared."""
    whole = set(declared)
    nested = [part for part, deeper in tree.items() if deeper]
    taken = [*tree, *[name for name in whole if "." in name]]
    rest = [F.map_filter(fields, lambda key, _: ~key.isin(taken))]
    for part in nested:
        if part not in whole:
            rest += parts_left(F.try_element_at(fields, F.lit(part)), tree[part], f"{part}", whole)
    return F.map_concat(*rest) if len(rest) > 1 else rest[0]


def parts_left(text: Column, tree: Tree, path: str, whole: set[str]) -> list[Column]:
    """Maps of what is left of an object of which some parts are declared.

    Args:
        text: the object.
        tree: names below it of which something is declared.
        path: its own name.
        whole: every declared name.
    """
    fields, nothing = object_of(text), F.create_map().cast(_OBJECT)
    named = F.transform_keys(
        F.map_filter(fields, lambda key, _: ~key.isin(list(tree))), lambda key, _: F.concat(F.lit(f"{path}."), key)
    )
    # What is no object where one was declared is kept as it came.
    found = F.when(text.isNull(), nothing).when(fields.isNull(), F.create_map(F.lit(path), text)).otherwise(named)
    rest = [found]
    for part, deeper in tree.items():
        if deeper and f"{path}.{part}" not in whole:
            rest += parts_left(F.try_element_at(fields, F.lit(part)), deeper, f"{path}.{part}", whole)
    return rest
