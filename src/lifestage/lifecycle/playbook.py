"""The playbook: what to do at each stage, the user's own texts over the package's, and taxonomies of the user's own."""

from __future__ import annotations

import ast
import operator
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn

import narwhals as nw

from lifestage.errors import ConfigError, DataError
from lifestage.lifecycle.frames import Frame, orders_made
from lifestage.lifecycle.taxonomies import (
    TAXONOMIES,
    Stage,
    Taxonomy,
    check_name,
    laid_over,
    rows_of,
    table_of,
    texts_of,
    words_of,
)

__all__ = ["Playbook", "as_playbook", "read_playbook", "rules_of"]

TAKEN = ("window_days",)
"""Names whose column is one of the scores."""

LONGEST, DEEPEST = 2000, 60
"""Characters and levels of nesting of a condition."""

NUMBER, TEXT, FLAG, ANY = "a number", "a text", "true or false", "anything"
FACTS = {"N": NUMBER, "R": NUMBER, "high_value": FLAG}
FORM = "comparisons (< <= > >= == !=) of columns, numbers and texts, joined by and, or, not and parentheses"
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


@dataclass(frozen=True)
class Playbook:
    """Taxonomies by name: line, phase and segment, then those of the user in the order of the file."""

    taxonomies: Mapping[str, Taxonomy]

    @property
    def custom(self) -> tuple[Taxonomy, ...]:
        """The taxonomies with rules of the user's own."""
        return tuple(each for each in self.taxonomies.values() if each.rules)


def read_playbook(path: str | os.PathLike[str] | None = None) -> Playbook:
    """Read the package's playbook, or a TOML file laid over it.

    The file has tables ``[taxonomy.NAME]`` (``title``, ``exclusive``) with stages ``[[taxonomy.NAME.stage]]`` (``key``,
    ``label``, ``goal``, ``actions``, ``when``). A text is plain, for every language, or a table by language; a language
    left out falls back to English, then to the package's text. For line, phase and segment only texts can be given.
    Any other NAME is a taxonomy of the user's own: rules are tried in order and the first that holds decides.
    ``exclusive = true`` demands that no two rules hold for one customer.

    ``when`` compares (``< <= > >= == !=``) columns that ``assign_stages`` returns, numbers (``+ - * /``) and texts
    (``== !=``), joined by ``and``, ``or``, ``not`` and parentheses; a column that is true or false stands alone. ``N``
    is frequency + 1 (0 for a contact), ``R`` is retained, ``high_value`` as in the built-in rules; the three go before
    columns of these names. A comparison with a null, or with a division by zero, does not hold, so that ``not`` of it
    does. The last stage may leave ``when`` out: it takes everyone else.

    Parameters
    ----------
    path : path, optional
        A TOML file in UTF-8.

    Raises
    ------
    ConfigError
        If the file cannot be read, a key, name or stage is unknown or there twice, or a condition is not of this form.

    Examples
    --------
    >>> read_playbook().taxonomies["line"].stages[3].goals["en"]
    'Bring back to active'
    >>> import tempfile
    >>> text = '''
    ... [[taxonomy.line.stage]]
    ... key = "drowsy"
    ... label = { en = "Dozing", zh-Hant = "打瞌睡" }
    ... [[taxonomy.tempo.stage]]
    ... key = "fast"
    ... when = "retained >= 0.7 and frequency >= 3"
    ... [[taxonomy.tempo.stage]]
    ... key = "rest"
    ... '''
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "playbook.toml"
    ...     _ = file.write_text(text, "utf-8")
    ...     book = read_playbook(file)
    >>> book.taxonomies["line"].stages[3].labels["zh-Hans"], book.taxonomies["tempo"].rules
    ('Dozing', ('retained >= 0.7 and frequency >= 3', None))
    """
    own = {name: Taxonomy(name, MappingProxyType({}), stages) for name, stages in TAXONOMIES.items()}
    if path is None:
        return Playbook(MappingProxyType(own))
    try:
        content = tomllib.loads(Path(path).read_text("utf-8"))
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise ConfigError(f"expected a playbook in TOML in {path}; {error}") from error
    tables = table_of(content, ("taxonomy",), str(path)).get("taxonomy", {})
    for name, table in table_of(tables, None, f"{path}: taxonomy").items():
        where = f"{path}: taxonomy.{name}"
        own[name] = laid_over(own[name], table, where) if name in TAXONOMIES else _custom(name, table, where)
    return Playbook(MappingProxyType(own))


def as_playbook(playbook: Any) -> Playbook:
    """A playbook as it is, or the one in the file of that path."""
    return playbook if isinstance(playbook, Playbook) else read_playbook(playbook)


def rules_of(taxonomy: Taxonomy, frame: Frame, high: nw.Expr) -> list[nw.Expr]:
    """The conditions of a taxonomy as expressions over *frame*, all true or false; *high* says who is of high value.

    Raises
    ------
    DataError
        If a column is missing or of a kind that cannot be compared so.
    """
    schema = frame.collect_schema()
    facts = {"N": orders_made(), "R": nw.col("retained"), "high_value": high}

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
        raise ConfigError(f"expected a column of numbers, texts or true and false; got {name} of {kind}")

    out = []
    for stage, when in zip(taxonomy.stages, taxonomy.rules, strict=True):
        try:
            out += [] if when is None else [_holds(when, column)]
        except ConfigError as error:
            raise DataError(f"taxonomy {taxonomy.name}, stage {stage.key}: {error}") from error
    return out


def _custom(name: str, table: Any, where: str) -> Taxonomy:
    """A taxonomy of the user's own."""
    check_name(name, where)
    if name in TAKEN:
        raise ConfigError(f"{where}: expected another name, stage_{name} is a column of the scores; got {name!r}")
    table = table_of(table, ("title", "exclusive", "stage"), where)
    rows = rows_of(table, ("key", "label", "goal", "actions", "when"), where)
    if not rows:
        raise ConfigError(f"{where}: expected one stage or more, [[taxonomy.{name}.stage]]; got none")
    exclusive = table.get("exclusive", False)
    if not isinstance(exclusive, bool):
        raise ConfigError(f"{where}.exclusive: expected true or false; got {exclusive!r}")
    stages = []
    for number, (key, row) in enumerate(rows.items(), 1):
        at = f"{where}.stage.{key}"
        if "when" in row:
            _check_condition(row["when"], f"{at}.when")
        elif number < len(rows):
            raise ConfigError(f"{at}: expected `when`, only the last stage takes everyone else; got none")
        texts = {"label": words_of(key), "goal": "", "actions": ""}
        stages.append(Stage(name, key, *(texts_of(row.get(k, own), own, f"{at}.{k}") for k, own in texts.items())))
    titles = texts_of(table.get("title", words_of(name)), words_of(name), f"{where}.title")
    return Taxonomy(name, titles, tuple(stages), tuple(row.get("when") for row in rows.values()), exclusive)


# ---------------------------------------------------------------- conditions


def _check_condition(when: Any, where: str) -> None:
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
        raise ConfigError(f"expected at most {LONGEST:,} characters in a condition; got {len(when):,}")
    try:
        body = ast.parse(f"({when}\n)", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ConfigError(f"expected {FORM} (equal is written ==); got {when!r}") from error
    level: list[ast.AST] = [body]
    for _ in range(DEEPEST):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    if level:
        raise ConfigError(f"expected a condition nested at most {DEEPEST} levels deep; got {when!r:.80}")
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
        case ast.Compare(left=left, ops=ops, comparators=others) if all(type(op) in COMPARE for op in ops):
            ends = [_operand(each, column) for each in (left, *others)]
            return reduce(operator.and_, [_compared(node, *each) for each in zip(ops, ends, ends[1:], strict=False)])
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
        _refuse(node, "two numbers or two texts in a comparison (a column that is true or false stands alone)")
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
