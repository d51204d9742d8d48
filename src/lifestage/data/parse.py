"""Order lines in the types that the rest expects: ids as they are, days as integers, money as finite numbers.

Days are counted from 1970-01-01, so that everything after this door is integer arithmetic on any engine.
"""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import narwhals as nw

from lifestage.data.engine import quoted, readable, wrapped
from lifestage.errors import ConfigError, DataError

__all__ = ["Columns", "typed_lines"]

Columns = dict[str, str]
"""Role (customer, time, amount, quantity, order, channel) → column of the log."""

SPACE = "' ' || chr(9) || chr(10) || chr(13) || chr(160) || chr(12288)"
INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
            "UHUGEINT")  # fmt: skip
FLOATS = ("FLOAT", "DOUBLE")

LARGEST = "1e150"
"""Money and quantities from here on count as not finite: their products and squares would not be."""

AWARE = r":[0-9]{2}(\.[0-9]+)?\s*(Z|z|UTC|GMT|[+-][0-9]{2}(:?[0-9]{2})?)$"
SLASHED = r"^\s*[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}"
FORMATS = ("%Y%m%d", "%Y%m%dT%H%M%S", "%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%d-%b-%Y", "%d %b %Y",
           "%d %B %Y", "%b %d, %Y", "%B %d, %Y")  # fmt: skip
CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")


def typed_lines(relation: Any, columns: Columns, *, tz: str | None, checked: bool = True) -> nw.LazyFrame[Any]:
    """Project a log on typed columns; nothing is read yet but, for a time column of text, its formats.

    With *checked* = False, for a log without a value that cannot be read, the columns come without tests of each value,
    so that an engine may skip parts of a file that a filter leaves out.

    Returns
    -------
    narwhals.LazyFrame
        ``customer_id``, ``no_id``, ``no_time`` (bool), ``day`` (null if it cannot be read), and, as the roles go,
        ``no_amount``, ``amount`` (null unless finite), ``no_quantity``, ``quantity``, ``order_id`` (a hash),
        ``channel`` (text); and ``line``, a hash of all columns of the log: equal lines of a
        customer and day are exact duplicates.

    Raises
    ------
    DataError
        If a column is of a type that cannot be its role, or time zones are unclear.
    """
    types = dict(zip(relation.columns, map(str, relation.types), strict=True))
    customer, time = columns["customer"], columns["time"]
    terms = [f"{quoted(customer)} as customer_id", f"{_missing(customer, types)} as no_id"]
    terms += [f"{_missing(time, types)} as no_time", f"{_day(relation, time, types[time], tz, checked)} as day"]
    for role in ("amount", "quantity"):
        if role in columns:
            name = columns[role]
            terms += [
                f"{_missing(name, types, nan=False)} as no_{role}",
                f"{_finite(name, types[name], checked)} as {role}",
            ]
    for role, alias in (("order", "order_id"), ("channel", "channel")):
        if role in columns:
            text = f"nullif(trim(cast({quoted(columns[role])} as varchar), {SPACE}), '')"
            if role == "order":  # only counted, never shown, and a number is lighter to group by
                text = f"case when {text} is not null then hash({text}) end"
            terms.append(f"{text} as {alias}")
    terms.append(f"hash({', '.join(map(quoted, relation.columns))}) as line")
    with readable():
        return wrapped(relation.project(", ".join(terms)))


def _is_text(kind: str) -> bool:
    return kind in ("VARCHAR", "NULL", '"NULL"') or kind.startswith("ENUM")


def _missing(name: str, types: Columns, *, nan: bool = True) -> str:
    """SQL: is the value null, blank text or, for ids, not a number."""
    column = quoted(name)
    if _is_text(types[name]):
        return f"({column} is null or trim(cast({column} as varchar), {SPACE}) = '')"
    if nan and types[name] in FLOATS:
        return f"({column} is null or isnan({column}))"
    return f"({column} is null)"


def _finite(name: str, kind: str, checked: bool) -> str:
    """SQL: the value as a finite double, else null."""
    column = quoted(name)
    if _is_text(kind):
        value = f"try_cast(trim(cast({column} as varchar), {SPACE}) as double)"
    elif kind in INTEGERS or kind in FLOATS or kind.startswith("DECIMAL"):
        value = f"cast({column} as double)"
    else:
        raise DataError(f"expected numbers in column {name!r}; got {kind}")
    return f"(case when abs({value}) < {LARGEST} then {value} end)" if checked else value


def _day(relation: Any, name: str, kind: str, tz: str | None, checked: bool) -> str:
    """SQL: days since 1970-01-01, null where the time is missing or cannot be read."""
    if tz is not None:
        _check_zone(tz)
    column = quoted(name)
    zone = None if tz is None else "'" + tz.replace("'", "''") + "'"
    if kind == "TIMESTAMP WITH TIME ZONE":
        if zone is None:
            raise DataError(
                f"expected tz= to cut the time-zone-aware column {name!r} into calendar days, e.g. tz='Europe/London'"
            )
        stamp = f"timezone({zone}, {column})"
    elif kind == "DATE" or kind.startswith("TIMESTAMP"):
        stamp = f"cast({column} as timestamp)"
    elif _is_text(kind) or kind in INTEGERS:
        stamp = _parsed(relation, name, zone)
    else:
        raise DataError(f"expected dates, timestamps or text in column {name!r}; got {kind}")
    day = f"cast(cast({stamp} as date) - date '1970-01-01' as integer)"
    return f"(case when isfinite({stamp}) and year({stamp}) between 1 and 9999 then {day} end)" if checked else day


def _parsed(relation: Any, name: str, zone: str | None) -> str:
    """SQL: the timestamp that a text says; looks at the whole column once to tell zones and day/month order."""
    text = f"trim(cast({quoted(name)} as varchar), {SPACE})"
    slashed = f"regexp_matches({text}, '{SLASHED}')"
    first, second = (f"try_cast(split_part({text}, '/', {part}) as integer)" for part in (1, 2))
    with readable():
        aware, known, day_first, month_first, slashes = relation.aggregate(
            f"count(*) filter (regexp_matches({text}, '{AWARE}')), count(*) filter ({text} <> ''), "
            f"count(*) filter ({slashed} and {first} > 12), count(*) filter ({slashed} and {second} > 12), "
            f"count(*) filter ({slashed})"
        ).fetchall()[0]
    if aware and aware < known:
        raise DataError(
            f"expected times either all with or all without a UTC offset in column {name!r}; "
            f"{aware} of {known} have one and the rest not"
        )
    if aware:
        if zone is None:
            raise DataError(f"expected tz= to cut the times with UTC offsets in column {name!r} into calendar days")
        return f"timezone({zone}, try_cast({text} as timestamptz))"
    formats = list(FORMATS)
    if slashes:
        if not day_first and not month_first:
            raise DataError(
                f"expected dates such as 2024-01-31 in column {name!r}; every one of its {slashes} dates with slashes "
                "can be read as day/month as well as month/day"
            )
        order = "%d/%m/%Y" if day_first >= month_first else "%m/%d/%Y"
        formats += [order + clock for clock in CLOCKS]
    listed = ", ".join(f"'{each}'" for each in formats)
    number = f"regexp_matches({text}, '^[0-9]+$') and length({text}) <> 8"  # 7 digits are no date, nor are 10
    read = f"coalesce(try_cast({text} as timestamp), try_strptime({text}, [{listed}]))"
    return f"case when not ({number}) then {read} end"


def _check_zone(tz: str) -> None:
    try:
        ZoneInfo(tz)
    except (KeyError, ValueError, OSError) as error:
        raise ConfigError(f"expected tz to be a time zone such as 'Europe/London'; got {tz!r}") from error
