"""The condition language of playbooks: parsed, checked, and turned into expressions."""

from __future__ import annotations

import ast
import operator
from functools import reduce
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NoReturn

import narwhals as nw

from lifestage.core.errors import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lifestage.lifecycle.frames import Frame
    from lifestage.lifecycle.stages.taxonomies import Taxonomy

__all__ = [
    "FLAG",
    "NUMBER",
    "Operand",
    "check_condition",
    "operand",
    "parse_condition",
    "refuse",
    "rules_of",
]

MAX_CHARACTERS, MAX_DEPTH = 2000, 60
"""Characters and levels of nesting of a condition."""

MAX_NUMBER = 1e300

NUMBER, TEXT, FLAG, ANY = "a number", "a text", "true or false", "anything"

FACT_KINDS = {"N": NUMBER, "R": NUMBER, "high_value": FLAG, "own_gap": NUMBER}
"""Facts of a customer that are no columns, and their kinds."""

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


def rules_of(taxonomy: Taxonomy, frame: Frame, facts: Mapping[str, Operand]) -> list[nw.Expr]:
    """Turn the conditions of a taxonomy into expressions over *frame*, all true or false.

    *facts* are the names that go before columns: those of a customer, null and never NaN where
    they are not known, and the thresholds.

    Raises
    ------
    DataError
        If a column is missing or of a kind that cannot be compared so.
    """
    schema = frame.collect_schema()

    def column(name: str) -> Operand:
        if name in facts:
            return facts[name]
        if name not in schema:
            names = [other for other in schema.names() if not other.startswith("_")]
            raise ConfigError(f"column missing: {name}; the table has {', '.join(names)}")
        kind = schema[name]
        if kind.is_numeric():
            return nw.col(name).cast(nw.Float64).fill_nan(None), NUMBER
        if kind == nw.Boolean:
            return nw.col(name), FLAG
        if kind in (nw.String, nw.Categorical, nw.Enum):
            return nw.col(name), TEXT
        raise ConfigError(
            f"expected a column of numbers, texts or true and false; got {name} of {kind}"
        )

    rules = []
    for key, when in zip(taxonomy.keys, taxonomy.rules, strict=True):
        if when is None:
            continue
        try:
            rules.append(_condition(parse_condition(when), column))
        except ConfigError as error:
            raise DataError(f"taxonomy {taxonomy.name}, stage {key}: {error}") from error
    return rules


def check_condition(when: Any, where: str) -> None:
    """Refuse what is not a condition, before there is a table."""
    if not isinstance(when, str):
        raise ConfigError(f"{where}: expected a condition as text; got {when!r}")
    try:
        _condition(parse_condition(when), lambda name: (nw.col(name), FACT_KINDS.get(name, ANY)))
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error


def parse_condition(when: str) -> ast.expr:
    """Parse a condition. Nothing in it is ever executed: see :func:`operand`."""
    if len(when) > MAX_CHARACTERS:
        raise ConfigError(
            f"expected at most {MAX_CHARACTERS:,} characters in a condition; got {len(when):,}"
        )
    try:
        body = ast.parse(f"({when}\n)", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ConfigError(f"expected {FORM} (equal is written ==); got {when!r}") from error
    level: list[ast.AST] = [body]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    if level:
        raise ConfigError(
            f"expected a condition nested at most {MAX_DEPTH} levels deep; got {when!r:.80}"
        )
    return body


def refuse(node: ast.AST, expected: str = FORM) -> NoReturn:
    """Raise a ConfigError that shows the part of a condition that is not as expected."""
    raise ConfigError(f"expected {expected}; got {ast.unparse(node)!r}")


def _condition(node: ast.expr, column: Callable[[str], Operand]) -> nw.Expr:
    match node:
        case ast.BoolOp(op=op, values=values):
            join = operator.and_ if isinstance(op, ast.And) else operator.or_
            return reduce(join, [_condition(part, column) for part in values])
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return ~_condition(inner, column)
        case ast.Compare(left=left, ops=ops, comparators=others) if COMPARE.keys() >= set(
            map(type, ops)
        ):
            operands = [operand(part, column) for part in (left, *others)]
            links = zip(ops, pairwise(operands), strict=True)
            return reduce(operator.and_, [_compared(node, op, *sides) for op, sides in links])
        case ast.Name(id=name):
            value, kind = column(name)
            if kind in (FLAG, ANY):
                flag: nw.Expr = value.fill_null(False)
                return flag
            refuse(node, "a comparison, or a column that is true or false")
    refuse(node)


def _compared(node: ast.AST, op: ast.cmpop, left: Operand, right: Operand) -> nw.Expr:
    values, kinds = [left[0], right[0]], {left[1], right[1]} - {ANY}
    if not any(isinstance(value, nw.Expr) for value in values):
        refuse(node, "a column on one side of a comparison")
    if FLAG in kinds or len(kinds) > 1:
        refuse(
            node,
            "two numbers or two texts in a comparison (a column that is true or false stands"
            " alone)",
        )
    if TEXT in kinds and not isinstance(op, ast.Eq | ast.NotEq):
        refuse(node, "== or != between texts")
    # A comparison with null does not hold, and NaN has become null: engines differ on both.
    holds: nw.Expr = COMPARE[type(op)](*values).fill_null(False)
    if kinds == {NUMBER} and not isinstance(op, ast.NotEq):
        return holds
    for value in values:  # in pandas null != value holds, and so does null == null of texts
        holds = holds & ~value.is_null() if isinstance(value, nw.Expr) else holds
    return holds


def operand(node: ast.expr, column: Callable[[str], Operand]) -> Operand:
    """Read one side of a comparison: a name, number or text, or a sum or product of numbers."""
    match node:
        case ast.Name(id=name):
            return column(name)
        case ast.Constant(value=str() as text):
            return text, TEXT
        case ast.Constant(value=bool()):
            refuse(node, "numbers and texts (a column that is true or false stands alone)")
        case ast.Constant(value=int() | float() as number) if number <= MAX_NUMBER:
            return float(number), NUMBER
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=inner):
            value = _number(inner, column)
            return (0.0 - value if isinstance(sign, ast.USub) else value), NUMBER
        case ast.BinOp(left=left, op=op, right=right) if type(op) in COMBINE:
            one, other = _number(left, column), _number(right, column)
            if isinstance(op, ast.Div):
                other = _divisor(node, other)
            result = COMBINE[type(op)](one, other)
            return (result.fill_nan(None) if isinstance(result, nw.Expr) else result), NUMBER
    refuse(node)


def _divisor(node: ast.AST, value: Any) -> Any:
    """Make a divisor null where it is zero."""
    if isinstance(value, nw.Expr):
        return nw.when(value != 0.0).then(value)
    return value if value else refuse(node, "no division by zero")


def _number(node: ast.expr, column: Callable[[str], Operand]) -> Any:
    value, kind = operand(node, column)
    if kind not in (NUMBER, ANY):
        refuse(node, "a number in a sum or product")
    return value
