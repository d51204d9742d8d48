"""Where to read and write: a path, or an address of a database, without a password; and tables."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from lifestage.core.errors import ConfigError

__all__ = [
    "address_of",
    "holds_password",
    "local_path",
    "refuse_password_options",
    "refuse_passwords",
    "split_table",
]

Place = str | os.PathLike[str]

POSTGRES = re.compile(
    r"postgres(?:ql)?://(?:[^\s:/?#@]*@)?"
    r"(?:[\w.%-]*|\[[0-9a-f:.%]+\])(?::\d*)?(?:,(?:[\w.%-]*|\[[0-9a-f:.%]+\])(?::\d*)?)*"
    r"(?:/[^\s:/?#@]*)?(?:\?[^\s#]*)?",
    re.IGNORECASE,
)
"""``postgresql://user@host:port/name?parameters``; several hosts are separated by commas."""

ADDRESS = re.compile(
    r"""[a-z][a-z\d+.-]*://               # any scheme
    | \s*(?:jdbc:)?postgres\w*(?:\+\w+)?:  # one slash too few, as of a Path, or none
    | (?:\w+\s*=\s*\S*\s+)*(?:host|hostaddr|port|dbname|user|service|sslmode)\s*=\s*\S+\s+\w+\s*=
      # keywords of libpq
    """,
    re.IGNORECASE | re.VERBOSE,
)
LOGIN = re.compile(
    r"""://[^\s@]*:\S*@                             # scheme://user:password@
    | ^\s*(?:jdbc:)?postgres\w*(?:\+\w+)?:[^@]*:[^@]*@  # with blanks in it, or a slash too few
    | ^\s*(?:postgres\w*/|//)/?[^\s@/]*:[^\s@]*@      # or no colon
    | ^(?![a-z]:[\\/])[^\s/\\:@]+:(?!//)[^\s@]+@\S
      # or no scheme; but not the drive of a path of Windows
    """,
    re.IGNORECASE | re.VERBOSE,
)
KEYWORD = re.compile(r"(?:password|passwd|\bpwd|secret)\w*\s*=\s*\S", re.IGNORECASE)

REFUSED = (
    "expected the password of a database in PGPASSWORD or a password file, not in an address; got"
    " one with it"
)


def address_of(place: Place) -> str | None:
    """Return the address of a PostgreSQL database; None if *place* is a path.

    Raises
    ------
    ConfigError
        If it holds a password, is of another kind of database, or cannot be read. The message never
        repeats it.

    Examples
    --------
    >>> address_of("PostgreSQL://shop@db.example/orders")
    'postgresql://shop@db.example/orders'
    >>> address_of("orders/*.csv")
    """
    text = os.fspath(place)
    if holds_password(text) and not _is_file(text):
        raise ConfigError(REFUSED)
    if POSTGRES.fullmatch(text.strip()):
        scheme, _, rest = text.strip().partition("://")
        return f"{scheme.lower()}://{rest}"
    if ADDRESS.match(text) and not _is_file(text):
        raise ConfigError(
            "expected a path, or postgresql://host/name; got an address that is none of this form"
        )
    return None


def local_path(place: Place) -> Path:
    """Return *place* as a path.

    Raises
    ------
    ConfigError
        If it is an address; the message repeats none with a password.
    """
    address = address_of(place)
    if address is not None:
        raise ConfigError(f"expected a path; got the address {address}")
    return Path(place)


def holds_password(text: str) -> bool:
    """Whether a text is, or holds, an address with a password.

    Examples
    --------
    >>> holds_password("postgresql://shop:1234@db/orders"), holds_password("host=db password=1234")
    (True, True)
    >>> holds_password("postgresql://shop@db:5432/orders")
    False
    """
    decoded = unquote(text)
    return any(LOGIN.search(form) or KEYWORD.search(form) for form in (text, decoded))


def refuse_passwords(settings: Mapping[str, Any]) -> None:
    """Refuse settings if one of them, at any depth, holds an address with a password.

    Raises
    ------
    ConfigError
        Naming the setting.
    """
    for name, value in settings.items():
        if isinstance(value, Mapping):
            refuse_passwords(value)
            continue
        # A query may well compare a column called password.
        unsafe = LOGIN.search if name == "query" else holds_password
        for text in [name, *(value if isinstance(value, list | tuple) else [value])]:
            if isinstance(text, str | os.PathLike) and unsafe(str(text)):
                setting = f": {name}" if name and not holds_password(name) else ""
                raise ConfigError(REFUSED + setting)


def refuse_password_options(args: Sequence[str]) -> None:
    """Refuse a command line if a word of it holds an address with a password.

    Raises
    ------
    ConfigError
        Repeating nothing of it.
    """
    for before, word in pairwise(["", *args]):
        option, _, value = word.partition("=") if word.startswith("-") else ("", "", word)
        refuse_passwords({"query" if "--query" in (before, option) else "": value})


def split_table(name: str) -> tuple[str | None, str]:
    """Split a name into schema and table at the first dot; without one the schema is None.

    Raises
    ------
    ConfigError
        If one of them is empty.

    Examples
    --------
    >>> split_table("customers"), split_table("sales.customers"), split_table("sales.v1.customers")
    ((None, 'customers'), ('sales', 'customers'), ('sales', 'v1.customers'))
    """
    before, dot, after = name.partition(".")
    schema, table = (before, after) if dot else (None, name)
    if not table or schema == "":
        raise ConfigError(f"expected a table, or schema.table; got {name!r}")
    return schema, table


def _is_file(text: str) -> bool:
    try:
        return os.path.exists(text) and not KEYWORD.search(text)
    except ValueError:  # what no path can hold
        return False
