"""What an expression's tree names: columns, fields below them, functions. Each must be there, and fit for one row."""

from collections.abc import Mapping

from sqlglot import exp

from cdp.base.settings import did_you_mean
from cdp.bronze.sql_functions import UNREPEATABLE, WITH_UNIT, changes, function_problem, many_rows
from cdp.bronze.sql_grammar import read_type

MOMENTS = ("now", "today", "tomorrow", "yesterday")
"""Texts that a cast to a time reads by the clock."""
_UNITS = "year quarter month week day dayofyear hour minute second millisecond microsecond".split()
_ITEM_OF = ("element_at", "get", "try_element_at")
_SAME_TYPE = ("array_compact", "array_distinct", "array_sort", "filter", "reverse", "slice", "sort_array")
_FOR_EACH = ("exists", "filter", "forall", "transform")

Types = Mapping[str, exp.DataType | None]
"""Variables of lambdas in small letters, with their types where known."""


class Reader:
    """Goes through the tree of an expression and notes what is wrong. Each `read` gives the type, where it is known."""

    def __init__(self, columns: Mapping[str, str], names: list[str]) -> None:
        self.columns, self.names = columns, names
        self.problems: list[str] = []

    def read(self, node: exp.Expr, variables: Types) -> exp.DataType | None:
        if isinstance(node, exp.Column):
            return self._column(node, variables)
        if isinstance(node, exp.Dot):
            return self._dot(node, variables)
        if isinstance(node, exp.Bracket):
            return self._item(node, variables)
        if isinstance(node, exp.Anonymous):
            return self._call(node, variables)
        if isinstance(node, exp.Identifier):
            return variables.get(node.name.lower())
        if isinstance(node, exp.Query | exp.Window | exp.Filter | exp.WithinGroup | exp.Distinct):
            what = "a query" if isinstance(node, exp.Query) else "OVER" if isinstance(node, exp.Window) else node.key.upper()
            self.problems.append(many_rows(what))
            return None
        if not self._has_shape(node):
            return None
        kinds = [self.read(child, variables) for child in node.iter_expressions() if not isinstance(child, exp.DataType)]
        if isinstance(node, exp.Cast):
            return node.to
        return kinds[0] if isinstance(node, exp.Paren) and kinds else None

    def resolve(self, path: list[str], variables: Types) -> exp.DataType | None:
        """The type of a column, or of a field below it."""
        name = path[0].lower()
        if name in variables:
            kind = variables[name]
        elif name in self.columns:
            kind = read_type(self.columns[name]) if len(path) > 1 or "<" in self.columns[name] else None
        else:
            shown = [n for n in self.columns if n.startswith("_")] if name.startswith("_") else self.names
            unrepeatable = len(path) == 1 and name in UNREPEATABLE
            problem = f"no column {path[0]}{did_you_mean(path[0], shown)}"
            self.problems.append(changes(name) if unrepeatable else problem)
            return None
        for depth, field in enumerate(path[1:], start=1):
            kind = self._field(kind, field, ".".join(path[:depth]))
        return kind

    def _column(self, node: exp.Column, variables: Types) -> exp.DataType | None:
        path = [part.name for part in node.parts]
        if not isinstance(node.this, exp.Star):
            return self.resolve(path, variables)
        if not isinstance(node.parent, exp.Anonymous | exp.Tuple):
            self.problems.append("not a SQL expression: * stands for several columns, wanted one value")
        self.resolve(path[:-1], variables)
        return None

    def _dot(self, node: exp.Dot, variables: Types) -> exp.DataType | None:
        name = node.expression
        if not isinstance(name, exp.Anonymous):
            kind = self.read(node.this, variables)
            if isinstance(name, exp.Literal):
                self.problems.append(f"not a SQL expression: unexpected .{name.name}")
            return self._field(kind, name.name, _sql(node.this)) if isinstance(name, exp.Identifier) else None
        owner = _sql(node.this).lower()
        if owner in ("builtin", "system.builtin"):
            return self._call(name, variables)
        if owner.split(".")[0] in (*variables, *self.columns):
            self.problems.append(f"no function {owner}.{name.name}; wanted {name.name}({owner})")
        for argument in name.expressions:  # of a function that is not Spark's own, which we cannot know
            self.read(argument, variables)
        return None

    def _field(self, kind: exp.DataType | None, name: str, owner: str) -> exp.DataType | None:
        if kind is None:
            return None
        if kind.this is exp.DType.MAP and len(kind.expressions) == 2:
            return _typed(kind.expressions[1])
        struct = kind.expressions[0] if is_array(kind) and kind.expressions else kind
        if struct.this is not exp.DType.STRUCT:
            self.problems.append(f"no field {name} in {owner}, which is {_sql(kind).lower()}")
            return None
        fields = {f.name.lower(): f for f in struct.expressions}
        if not fields:
            return None
        if name.lower() not in fields:
            self.problems.append(f"no field {name} in {owner}{did_you_mean(name, [f.name for f in fields.values()])}")
            return None
        found = _typed(fields[name.lower()].args.get("kind"))
        # A field of an array of structs is the array of that field.
        return exp.DataType(this=exp.DType.ARRAY, expressions=[found], nested=True) if is_array(kind) and found else found

    def _item(self, node: exp.Bracket, variables: Types) -> exp.DataType | None:
        kind = self.read(node.this, variables)
        for index in node.expressions:
            self.read(index, variables)
        index = node.expressions[0] if len(node.expressions) == 1 else None
        if kind and isinstance(index, exp.Literal) and index.is_string and kind.this is not exp.DType.MAP:
            return self._field(kind, index.name, _sql(node.this))
        return _item_type(kind)

    def _call(self, node: exp.Anonymous, variables: Types) -> exp.DataType | None:
        name, arguments = node.name.lower(), list(node.expressions)
        problem = function_problem(name, arguments)
        if problem:
            self.problems.append(problem)
        if name in WITH_UNIT and len(arguments) == 3 and arguments[0].name.lower() in _UNITS:
            arguments = arguments[1:]
        first: exp.DataType | None = None
        for number, argument in enumerate(arguments):
            if isinstance(argument, exp.Lambda):
                parameters = [p.name.lower() for p in argument.expressions]
                types = [_item_type(first) if name in _FOR_EACH and is_array(first) else None] + [None] * len(parameters)
                self.read(argument.this, {**variables, **dict(zip(parameters, types, strict=False))})
            elif isinstance(argument, exp.Alias) and name == "struct":
                self.read(argument.this, variables)
            elif not isinstance(argument, exp.Star):
                kind = self.read(argument, variables)
                first = kind if number == 0 else first
        if name in _ITEM_OF:
            return _item_type(first)
        return first if name in _SAME_TYPE and is_array(first) else None

    def _has_shape(self, node: exp.Expr) -> bool:
        """Whether it is not what the parser takes from other systems, but Spark does not."""
        problem = ""
        if isinstance(node, exp.Alias) and not isinstance(node.parent, exp.Tuple):
            problem = f"unexpected {node.alias}"
        elif isinstance(node, exp.In) and (node.args.get("field") or not (node.expressions or node.args.get("query"))):
            problem = "IN wants values in brackets"
        elif isinstance(node, exp.Is) and not isinstance(node.expression, exp.Null | exp.Boolean):
            problem = f"IS wants NULL, TRUE or FALSE, found {_sql(node.expression)}"
        elif isinstance(node, exp.Tuple) and not node.expressions:
            problem = "nothing stands in the brackets"
        elif isinstance(node, exp.Star) and not isinstance(node.parent, exp.Tuple):
            problem = "* stands for several columns, wanted one value"
        elif isinstance(node, exp.AtTimeZone):
            problem = "AT TIME ZONE is not Spark's; wanted from_utc_timestamp or convert_timezone"
        elif isinstance(node, exp.Paren) and isinstance(node.this, exp.DataType) and node.this.expressions:
            problem = f"a type is no value, found {_sql(node.this)}"
        elif isinstance(node, exp.National):
            problem = f"unexpected {_sql(node)}"
        elif isinstance(node, exp.Interval):
            problem = _interval_problem(node)
        if problem:
            self.problems.append(f"not a SQL expression: {problem}")
        if isinstance(node, exp.Cast) and node.this.is_string and node.this.name.strip().lower() in MOMENTS:
            self.problems.append(changes(node.this.name))
        return not problem


def is_array(kind: exp.DataType | None) -> bool:
    return kind is not None and kind.this is exp.DType.ARRAY


def _item_type(kind: exp.DataType | None) -> exp.DataType | None:
    """The type of the elements of an array, or of the values of a map."""
    inner = kind.expressions if kind is not None and kind.this in (exp.DType.ARRAY, exp.DType.MAP) else []
    return _typed(inner[-1]) if inner else None


def _typed(node: object) -> exp.DataType | None:
    return node if isinstance(node, exp.DataType) else None


def _sql(node: exp.Expr) -> str:
    return node.sql("spark", normalize_functions=False)


def _interval_problem(node: exp.Interval) -> str:
    unit, value = node.args.get("unit"), node.this.name if node.this is not None else ""
    if unit is None and not any(character.isalpha() for character in value):
        return "the interval lacks its unit, such as DAY"
    if not isinstance(node.this.this if isinstance(node.this, exp.Neg) else node.this, exp.Literal):
        return f"the number of an interval is written out; wanted {_sql(node.this)} * interval 1 {unit or 'day'}"
    known = [*_UNITS, *(f"{u}s" for u in _UNITS)]
    if isinstance(unit, exp.Var) and unit.name.lower() not in known:
        return f"{unit.name.lower()} is no unit of time{did_you_mean(unit.name.lower(), known[:len(_UNITS)])}"
    return ""
