"""The condition language of playbooks: parsed, checked, and turned into expressions."""

from __future__ import annotations

import ast
import operator
from functools import reduce
from typing import TYPE_CHECKING, Any, NoReturn

import narwhals as nw

from lifestage.core.errors import ConfigError, DataError
from lifestage.lifecycle.frames import Frame, orders_made

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lifestage.lifecycle.stages.taxonomies import Taxonomy

__all__ = [
    "ANY",
    "COMBINE",
    "COMPARE",
    "DEEPEST",
    "FACTS",
    "FLAG",
    "FORM",
    "LONGEST",
    "NUMBER",
    "TEXT",
    "Operand",
    "rules_of",
]

LONGEST, DEEPEST = 2000, 60
"""Characters and levels of nesting of a condition."""

NUMBER, TEXT, FLAG, ANY = "a number", "a text", "true or false", "anything"

FACTS = {"N": NUMBER, "R": NUMBER, "high_value": FLAG}

FORM = (
    "comparisons (< <= > >= == !=) of columns, numbers and texts, joined by and, or, not and"
    " parentheses"
)

COMPARE: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}

COMBINE: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}

Operand = tuple[Any, str]
"""A narwhals expression or a constant, and its kind."""


def rules_of(taxonomy: Taxonomy, frame: Frame, high: nw.Expr) -> list[nw.Expr]:
    """The conditions of a taxonomy as expressions over *frame*, all true or false; *high* says who is of high value.

    Raises
    ------
    DataError
        If a column is missing or of a kind that cannot be compared so.
    """
    schema = frame.collect_schema()
    facts = {"N": orders_made(), "R": nw.col("activity_ratio"), "high_value": high}

    def column(name: str) -> Operand:
        if name in facts:
            return facts[name], FACTS[name]
        if name not in schema:
            raise ConfigError(f"column missing: {name}; the table has {', '.join(schema.names())}")
        kind = schema[name]
        if kind.is_numeric():
            return nw.col(name).cast(nw.Float64), NUMBER
        if kind == nw.Boolean:
            return nw.col(name), FLAG
        if kind in (nw.String, nw.Categorical, nw.Enum):
            return nw.col(name), TEXT
        raise ConfigError(
            f"expected a column of numbers, texts or true and false; got {name} of {kind}"
        )

    out = []
    for stage, when in zip(taxonomy.stages, taxonomy.rules, strict=True):
        try:
            out += [] if when is None else [_holds(when, column)]
        except ConfigError as error:
            raise DataError(f"taxonomy {taxonomy.name}, stage {stage.key}: {error}") from error
    return out


def check_condition(when: Any, where: str) -> None:
    """Refuse what is not a condition, before there is a table."""
    if not isinstance(when, str):
        raise ConfigError(f"{where}: expected a condition as text; got {when!r}")
    try:
        _holds(when, lambda name: (nw.col(name), FACTS.get(name, ANY)))
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error


def _holds(when: str, column: Callable[[str], Operand]) -> nw.Expr:
    """A condition as an expression; nothing in it is executed, and only what is named here is understood."""
    if len(when) > LONGEST:
        raise ConfigError(
            f"expected at most {LONGEST:,} characters in a condition; got {len(when):,}"
        )
    try:
        body = ast.parse(f"({when}\n)", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ConfigError(f"expected {FORM} (equal is written ==); got {when!r}") from error
    level: list[ast.AST] = [body]
    for _ in range(DEEPEST):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    if level:
        raise ConfigError(
            f"expected a condition nested at most {DEEPEST} levels deep; got {when!r:.80}"
        )
    return _condition(body, column)


def _refuse(node: ast.AST, expected: str = FORM) -> NoReturn:
    raise ConfigError(f"expected {expected}; got {ast.unparse(node)!r}")


def _condition(node: ast.expr, column: Callable[[str], Operand]) -> nw.Expr:
    match node:
        case ast.BoolOp(op=op, values=values):
            join = operator.and_ if isinstance(op, ast.And) else operator.or_
            return reduce(join, [_condition(each, column) for each in values])
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return ~_condition(inner, column)
        case ast.Compare(left=left, ops=ops, comparators=others) if all(
            type(op) in COMPARE for op in ops
        ):
            ends = [_operand(each, column) for each in (left, *others)]
            return reduce(
                operator.and_,
                [_compared(node, *each) for each in zip(ops, ends, ends[1:], strict=False)],
            )
        case ast.Name(id=name):
            value, kind = column(name)
            if kind in (FLAG, ANY):
                flag: nw.Expr = value.fill_null(False)
                return flag
            _refuse(node, "a comparison, or a column that is true or false")
    _refuse(node)


def _compared(node: ast.AST, op: ast.cmpop, left: Operand, right: Operand) -> nw.Expr:
    values, kinds = [left[0], right[0]], {left[1], right[1]} - {ANY}
    if not any(isinstance(value, nw.Expr) for value in values):
        _refuse(node, "a column on one side of a comparison")
    if FLAG in kinds or len(kinds) > 1:
        _refuse(
            node,
            "two numbers or two texts in a comparison (a column that is true or false stands"
            " alone)",
        )
    if TEXT in kinds and not isinstance(op, ast.Eq | ast.NotEq):
        _refuse(node, "== or != between texts")
    if kinds == {NUMBER}:
        values = [value.fill_nan(None) if isinstance(value, nw.Expr) else value for value in values]
    holds: nw.Expr = COMPARE[type(op)](*values).fill_null(False)
    for value in values:
        holds = holds & ~value.is_null() if isinstance(value, nw.Expr) else holds
    return holds


def _operand(node: ast.expr, column: Callable[[str], Operand]) -> Operand:
    match node:
        case ast.Name(id=name):
            return column(name)
        case ast.Constant(value=str() as text):
            return text, TEXT
        case ast.Constant(value=bool()):
            _refuse(node, "numbers and texts (a column that is true or false stands alone)")
        case ast.Constant(value=int() | float() as number) if number <= 1e300:
            return float(number), NUMBER
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=inner):
            value, _ = _number(inner, column)
            return (0.0 - value if isinstance(sign, ast.USub) else value), NUMBER
        case ast.BinOp(left=left, op=op, right=right) if type(op) in COMBINE:
            one, other = _number(left, column)[0], _number(right, column)[0]
            if isinstance(op, ast.Div):
                other = _divisor(node, other)
            return COMBINE[type(op)](one, other), NUMBER
    _refuse(node)


def _divisor(node: ast.AST, value: Any) -> Any:
    """A divisor that is null where it is zero."""
    if isinstance(value, nw.Expr):
        return nw.when(value != 0.0).then(value)
    return value if value else _refuse(node, "no division by zero")


def _number(node: ast.expr, column: Callable[[str], Operand]) -> Operand:
    value, kind = _operand(node, column)
    if kind not in (NUMBER, ANY):
        _refuse(node, "a number in a sum or product")
    return value, kind
