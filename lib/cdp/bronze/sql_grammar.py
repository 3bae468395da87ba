"""One Spark SQL expression as a tree. The parser knows many dialects; here it is held to what Spark knows."""

import re
from functools import lru_cache
from itertools import pairwise
from typing import Any, ClassVar

from sqlglot import Token, TokenType, exp, tokenize
from sqlglot.dialects.spark import Spark
from sqlglot.errors import ParseError, TokenError

_OPERATORS = ("==", "::", "||", ">=", "<=", "<>", "!=", "<=>", "->", "=>")
_WORDS = (
    "ALL AND ANY AS BETWEEN CASE COLLATE DISTINCT DIV ELSE END ESCAPE EXISTS FALSE FILTER FOR FROM ILIKE IN INTERVAL IS"
    " LIKE NOT NULL OR OVER REGEXP RLIKE SELECT SOME THEN TRUE UNKNOWN WHEN WHERE"
    # types
    " ARRAY BIGINT BINARY BOOLEAN BYTE CHAR CHARACTER DATE DEC DECIMAL DOUBLE FLOAT GEOGRAPHY GEOMETRY INT INTEGER LONG MAP"
    " NUMERIC REAL SHORT SMALLINT STRING STRUCT TIME TIMESTAMP TIMESTAMP_LTZ TIMESTAMP_NTZ TINYINT VARCHAR VARIANT VOID"
).split()


class _Expressions(Spark):
    """Spark's dialect, less what belongs to statements or to other systems: any other word may name a column."""

    class Tokenizer(Spark.Tokenizer):
        KEYWORDS: ClassVar[dict[str, TokenType]] = {
            **{key: kind for key, kind in Spark.Tokenizer.KEYWORDS.items() if key in (*_OPERATORS, *_WORDS, "PARTITION BY", "ORDER BY")},
            # Of the same rank as these:
            ">>>": TokenType.CARET,
            "!>": TokenType.LTE,
            "!<": TokenType.GTE,
        }

    class Parser(Spark.Parser):  # type: ignore[misc, valid-type]  # a class kept in a variable
        # Every function keeps its own name and arguments, but for those with words between these.
        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            name: parser
            for name, parser in Spark.Parser.FUNCTION_PARSERS.items()
            if name in ("CAST", "TRY_CAST", "EXTRACT", "OVERLAY", "POSITION", "SUBSTR", "SUBSTRING", "TRIM")
        }
        NO_PAREN_FUNCTIONS: ClassVar[dict[TokenType, Any]] = {}
        NO_PAREN_FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            "CASE": Spark.Parser.NO_PAREN_FUNCTION_PARSERS["CASE"]
        }
        ARRAY_CONSTRUCTORS: ClassVar[dict[str, Any]] = {}
        PLACEHOLDER_PARSERS: ClassVar[dict[TokenType, Any]] = {}
        COLUMN_OPERATORS: ClassVar[dict[TokenType, Any]] = {
            kind: Spark.Parser.COLUMN_OPERATORS[kind] for kind in (TokenType.DOT, TokenType.DCOLON)
        }
        COLON_IS_VARIANT_EXTRACT = True


class NotAnExpression(Exception):
    """The text is no expression; the message says where."""


class Unsure(Exception):
    """The parser stumbled, but over something that Spark may understand."""


def parse_expression(text: str, columns: frozenset[str]) -> exp.Expr:
    """The tree of an expression.

    Args:
        text: the expression.
        columns: names of columns in small letters.

    Raises:
        NotAnExpression: it is none.
        Unsure: that cannot be told.
    """
    # As Spark is given it: in brackets, the line closed so that a comment ends with it.
    wrapped = f"({text}\n)"
    try:
        tokens = tokenize(wrapped, read=_Expressions)
    except TokenError:
        raise NotAnExpression("a quote or a comment is opened that nothing closes") from None
    if _is_beyond(tokens, columns):
        raise Unsure
    _check_tokens(tokens)
    try:
        tree = _Expressions().parser().parse_into(exp.Condition, tokens, wrapped)[0]
    except ParseError as error:
        words = [token.text.lower() for token in tokens if token.token_type not in _NAMES]
        if any(token.text.lower() == "struct" for token in tokens) or not columns.isdisjoint(words):
            raise Unsure from None  # struct(a b), or a column that is called like a word of SQL: Spark allows both
        raise NotAnExpression(_explained(error, text)) from None
    except (RecursionError, AttributeError, IndexError, KeyError, TypeError, ValueError):
        raise Unsure from None  # nested too deep, or the parser's own mistake
    if tree is None:
        raise NotAnExpression("it is empty")
    return tree


@lru_cache(maxsize=1024)
def read_type(text: str) -> exp.DataType | None:
    """A column's declared type; None where it cannot be read."""
    # Quoted, no field's name is taken for a word of SQL.
    quoted = re.sub(r"(?<![\w`])(\w+)\s*:", r"`\1`:", text)
    try:
        return exp.DataType.build(quoted, dialect=_Expressions)
    except ParseError:
        return None


_NAMES = (TokenType.VAR, TokenType.IDENTIFIER, TokenType.STRING, TokenType.RAW_STRING, TokenType.NUMBER)
_STRUCTURE = frozenset(
    getattr(TokenType, word)
    for word in "ALL ALIAS AND ANY BETWEEN CASE DIV ELSE ESCAPE EXISTS FALSE ILIKE IN INTERVAL IS LIKE NOT NULL OR RLIKE SELECT SOME"
    " THEN TRUE WHEN".split()
)
_VALUES = (*_NAMES, TokenType.R_PAREN, TokenType.R_BRACKET)
_OPEN = {TokenType.L_PAREN: TokenType.R_PAREN, TokenType.L_BRACKET: TokenType.R_BRACKET}
_INFIX = (
    "AND OR IN IS BETWEEN EQ NEQ NULLSAFE_EQ LT LTE GT GTE DPIPE SLASH MOD AMP PIPE CARET COMMA COLON DCOLON"
).split()


def _is_beyond(tokens: list[Token], columns: frozenset[str]) -> bool:
    """Whether Spark may take for a name, or for a text, what the parser would not: even `and and and`, or `and(a, b)`."""
    if any(token.token_type in _STRUCTURE and token.text.lower() in columns for token in tokens):
        return True
    before_texts = [before for before, token in pairwise(tokens) if token.token_type is TokenType.STRING]
    if any(token.token_type is TokenType.RAW_STRING or token.text in ("x", "X") for token in before_texts):
        return True
    called = (TokenType.AND, TokenType.OR, TokenType.IN, TokenType.BETWEEN, TokenType.WHEN)
    starts = (TokenType.L_PAREN, TokenType.COMMA)
    return any(
        before.token_type in starts and token.token_type in called and after.token_type is TokenType.L_PAREN
        for before, token, after in zip(tokens, tokens[1:], tokens[2:], strict=False)
    )


def _check_tokens(tokens: list[Token]) -> None:
    """What the parser forgives and Spark does not; brackets, of which it does not say which is too much."""
    inside = tokens[1:-1]
    if not inside:
        raise NotAnExpression("it is empty")
    if inside[0].token_type.name in _INFIX:
        raise _unexpected(inside[0])
    _check_brackets(inside)
    for before, token, after in zip(tokens[:-2], inside, tokens[2:], strict=True):
        kind = token.token_type
        if kind in (TokenType.L_BRACE, TokenType.R_BRACE, TokenType.SEMICOLON):
            raise _unexpected(token)
        if kind is TokenType.VAR and not token.text.isascii():
            raise NotAnExpression(f"{token.text} at {_place(token)} must stand in backquotes, as `{token.text}`")
        if kind is TokenType.COMMA and (before.token_type in _OPEN or after.token_type in (kind, *_OPEN.values())):
            raise NotAnExpression(f"something is missing beside the comma at {_place(token)}")
        if kind is TokenType.COLON and after.token_type in (TokenType.EQ, TokenType.STRING, TokenType.NUMBER):
            raise _unexpected(after)
        if kind is TokenType.NOT and after.token_type is TokenType.NULL and before.token_type in _VALUES:
            raise NotAnExpression(f"NOT NULL lacks its IS at {_place(token)}")
        if kind is TokenType.NUMBER and re.fullmatch(r"[\d.]+[eE][+-]?", token.text):
            raise NotAnExpression(f"{token.text} at {_place(token)} is no number")
    kinds = [token.token_type for token in inside]
    if TokenType.CASE in kinds and kinds.count(TokenType.WHEN) > kinds.count(TokenType.THEN):
        raise NotAnExpression("a WHEN lacks its THEN")
    if kinds.count(TokenType.CASE) > kinds.count(TokenType.END):
        raise NotAnExpression("a CASE lacks its END")


def _check_brackets(tokens: list[Token]) -> None:
    opened: list[Token] = []
    before: Token | None = None
    for token in tokens:
        if token.token_type in _OPEN:
            opened.append(token)
            if token.token_type is TokenType.L_BRACKET and (before is None or before.text in ("(", ",", "[", "=")):
                raise NotAnExpression(f"a list is written array(1, 2), found [ at {_place(token)}")
        elif token.token_type in _OPEN.values() and not (opened and _OPEN[opened.pop().token_type] is token.token_type):
            raise NotAnExpression(f"nothing opens the {token.text} at {_place(token)}")
        before = token
    if opened:
        raise NotAnExpression(f"nothing closes the {opened[-1].text} at {_place(opened[-1])}")


def _unexpected(token: Token) -> NotAnExpression:
    return NotAnExpression(f"unexpected {_shortened(token.text)} at {_place(token)}")


def _place(token: Token) -> str:
    return _line_and_column(token.line, token.col - max(len(token.text) - 1, 0))


def _line_and_column(line: int, column: int) -> str:
    # Columns of the first line count the bracket that was put before the text.
    return f"line {line}, column {max(column - (line == 1), 1)}"


def _explained(error: ParseError, text: str) -> str:
    found = error.errors[0]
    line, column, word = found["line"] or 1, found["col"] or 1, str(found["highlight"] or "").strip()
    if line > text.count("\n") + 1:
        return f"it ends too early, after {_shortened(text)}"
    return f"unexpected {_shortened(word)} at {_line_and_column(line, column - max(len(word) - 1, 0))}"


def _shortened(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= 60 else f"...{words[-57:]}"
