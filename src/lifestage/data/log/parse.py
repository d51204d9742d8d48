"""Order lines with typed columns: ids unchanged, days as integers, money as finite numbers.

Days are counted from 1970-01-01, so that all later steps are integer arithmetic on any engine.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from lifestage.core.errors import ConfigError, DataError
from lifestage.data.engines.frames import dialect_of, wrap
from lifestage.data.sources.csv import MALFORMED

if TYPE_CHECKING:
    from types import ModuleType

    import narwhals as nw

__all__ = ["Columns", "typed_lines"]

Columns = dict[str, str]
"""Role (customer, time, amount, quantity, order, channel) → column of the log."""

Kinds = dict[str, tuple[str, str]]

BLANKS = "' \t\n\r\u00a0\u3000'"
"""SQL: characters that are trimmed from both ends of a text."""

MAX_BIGINT_DIGITS = 18
"""Decimal digits that always fit a signed integer of 64 bits."""

MAX_NUMBER = "1e150"
"""Larger money and quantities count as not finite: their products and squares would overflow."""

UTC_OFFSET = r":[0-9]{2}(\.[0-9]+)?\s*(Z|z|UTC|GMT|[+-][0-9]{2}(:?[0-9]{2})?)$"
SLASHED_DATE = r"^\s*[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}"
FORMATS = ("%Y%m%d", "%Y%m%dT%H%M%S", "%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S",
           "%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y")  # fmt: skip
CLOCK_FORMATS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")


def typed_lines(
    relation: Any, columns: Columns, *, tz: str | None, checked: bool = True
) -> nw.LazyFrame[Any]:
    """Project a log to typed columns, lazily; only a time column of text is scanned at once.

    With *checked* = False, for a log whose values can all be read, the values are not tested one by
    one, so that an engine can skip parts of a file that a filter leaves out.

    Returns
    -------
    narwhals.LazyFrame
        ``customer_id``, ``no_id``, ``no_time`` (bool), ``day`` (null if it cannot be read),
        ``source_text`` (the time as text), ``malformed`` (bool) of a file that has such lines, and,
        for the roles in *columns*, ``no_amount``, ``amount`` (null unless finite), ``no_quantity``,
        ``quantity``, ``order_id`` (a hash), ``channel`` (text); and ``line``, a hash of all columns
        of the log: equal lines of a customer and day are exact duplicates.

    Raises
    ------
    DataError
        If the type of a column does not suit its role, or time zones are unclear.
    """
    sql = dialect_of(relation)
    types = sql.kinds(relation)
    customer, time = columns["customer"], columns["time"]
    terms = [
        f"{_identity(sql, customer, types[customer])} as customer_id",
        f"{_missing(sql, customer, types)} as no_id",
    ]
    day = _day(sql, relation, time, types[time], tz, checked)
    source_text = _text(sql, time)
    if MALFORMED in types:
        terms.append(f"({sql.quoted(MALFORMED)} is not null) as malformed")
        source_text = f"coalesce({sql.quoted(MALFORMED)}, {source_text})"
    terms += [
        f"{_missing(sql, time, types)} as no_time",
        f"{day} as day",
        f"{source_text} as source_text",
    ]
    for role in ("amount", "quantity"):
        if role in columns:
            name = columns[role]
            terms += [f"{_missing(sql, name, types, nan=False)} as no_{role}"]
            terms += [f"{_finite(sql, name, types[name], checked)} as {role}"]
    for role, alias in (("order", "order_id"), ("channel", "channel")):
        if role in columns:
            text = f"nullif({_text(sql, columns[role])}, '')"
            if role == "order":  # only counted, never shown, and numbers are faster to group by
                text = f"case when {text} is not null then {sql.hash_of(text)} end"
            terms.append(f"{text} as {alias}")
    terms.append(f"{sql.line_hash(relation)} as line")
    return wrap(sql.project(relation, terms))


def _text(sql: ModuleType, name: str) -> str:
    return str(sql.text(sql.quoted(name), BLANKS))


def _identity(sql: ModuleType, name: str, kind: tuple[str, str]) -> str:
    """SQL: an id; types that tools read differently become integers of 64 bits or text."""
    column, (type_name, family) = sql.quoted(name), kind
    if family == "decimal":
        width, scale = map(int, re.findall("[0-9]+", type_name))
        if scale == 0 and width <= MAX_BIGINT_DIGITS:
            return f"cast({column} as bigint)"
        return _text(sql, name)
    if type_name in ("HUGEINT", "UHUGEINT", "UUID"):
        return _text(sql, name)
    if family == "other" and type_name.upper() != "BOOLEAN":
        raise DataError(
            f"expected ids as text or whole numbers in column {name!r}; got {type_name}: turn them"
            " into text"
        )
    return str(column)


def _missing(sql: ModuleType, name: str, types: Kinds, *, nan: bool = True) -> str:
    """SQL: whether the value is null, blank text or, for ids, NaN."""
    column, (_, kind) = sql.quoted(name), types[name]
    if kind == "text":
        return f"({column} is null or {_text(sql, name)} = '')"
    if nan and kind == "float":
        return f"({column} is null or isnan({column}))"
    return f"({column} is null)"


def _finite(sql: ModuleType, name: str, kind: tuple[str, str], checked: bool) -> str:
    """SQL: the value as a finite double, else null."""
    if kind[1] == "text":
        value = sql.number(_text(sql, name))
    elif kind[1] in ("integer", "float", "decimal"):
        value = f"cast({sql.quoted(name)} as double)"
    else:
        raise DataError(f"expected numbers in column {name!r}; got {kind[0]}")
    if not checked:
        return f"({value})"
    return f"(case when abs({value}) < {MAX_NUMBER} then {value} end)"


def _day(
    sql: ModuleType, relation: Any, name: str, kind: tuple[str, str], tz: str | None, checked: bool
) -> str:
    """SQL: days since 1970-01-01, null where the time is missing or cannot be read."""
    if tz is not None:
        _check_zone(tz)
    zone = None if tz is None else tz.replace("'", "''")
    if kind[1] == "aware":
        stamp = _aware(sql, name, zone)
    elif kind[1] == "time":
        stamp = sql.wall_stamp(sql.quoted(name))
    elif kind[1] in ("text", "integer"):
        stamp = _parsed(sql, relation, name, zone)
    else:
        raise DataError(f"expected dates, timestamps or text in column {name!r}; got {kind[0]}")
    day = str(sql.day_of(stamp))
    return f"(case when {sql.finite_stamp(stamp)} then {day} end)" if checked else day


def _aware(sql: ModuleType, name: str, zone: str | None) -> str:
    """SQL: the local time of an instant; without a zone, in the time zone of a Spark session."""
    if zone is not None:
        return str(sql.aware_stamp(sql.quoted(name), zone))
    if sql.SESSION_HAS_ZONE:
        return str(sql.wall_stamp(sql.quoted(name)))
    raise DataError(
        f"expected tz= to cut the time-zone-aware column {name!r} into calendar days, e.g."
        " tz='Europe/London'"
    )


def _parsed(sql: ModuleType, relation: Any, name: str, zone: str | None) -> str:
    """SQL: the timestamp in a text.

    The whole column is scanned once to find out about UTC offsets and the order of day and month.
    """
    text = _text(sql, name)
    slashed = sql.like(text, SLASHED_DATE)
    first = f"try_cast(split_part({text}, '/', 1) as integer)"
    second = f"try_cast(split_part({text}, '/', 2) as integer)"
    conditions = (
        sql.like(text, UTC_OFFSET),
        f"{text} <> ''",
        f"{slashed} and {first} > 12",
        f"{slashed} and {second} > 12",
        slashed,
    )
    counts = [f"count(*) filter (where {condition})" for condition in conditions]
    aware, filled, day_first, month_first, slashes = sql.aggregate(relation, counts)
    if aware and aware < filled:
        raise DataError(
            f"expected times either all with or all without a UTC offset in column {name!r}; "
            f"{aware} of {filled} have one and the rest not"
        )
    if aware:
        if zone is None:
            raise DataError(
                f"expected tz= to cut the times with UTC offsets in column {name!r} into calendar"
                " days"
            )
        return str(sql.aware_stamp(sql.text_stamp(text), zone))
    formats = list(FORMATS)
    if slashes:
        if not day_first and not month_first:
            raise DataError(
                f"expected dates such as 2024-01-31 in column {name!r}; every one of its {slashes}"
                " dates with slashes can be read as day/month as well as month/day"
            )
        order = "%d/%m/%Y" if day_first >= month_first else "%m/%d/%Y"
        formats += [order + clock for clock in CLOCK_FORMATS]
    # Of numbers only those of 8 digits are dates, as 20240131.
    other_number = f"{sql.like(text, '^[0-9]+$')} and length({text}) <> 8"
    return f"case when not ({other_number}) then {sql.parsed(text, formats)} end"


def _check_zone(tz: str) -> None:
    try:
        ZoneInfo(tz)
    except (KeyError, ValueError, OSError) as error:
        raise ConfigError(
            f"expected tz to be a time zone such as 'Europe/London'; got {tz!r}"
        ) from error
