"""Who serves: a pointer to one of the versions, moved at once, and the way back."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lifestage.core.errors import RegistryError
from lifestage.registry.versions import PARTIAL, VERSION, flush, open_version, verify, versions

if TYPE_CHECKING:
    import pandas as pd

    from lifestage.model import LTVModel

__all__ = [
    "champion",
    "diff",
    "latest_evaluated",
    "load_version",
    "promote",
    "prune",
    "reject",
    "rollback",
]

CHAMPION, HISTORY = "champion", "history.jsonl"


def champion(folder: str | os.PathLike[str]) -> str | None:
    """The version that serves, or None if none was promoted yet.

    Raises
    ------
    RegistryError
        If the pointer cannot be read, or names what is no version, or one that is gone.
    """
    pointer = Path(folder) / CHAMPION
    text = _text(pointer)
    if text is None:
        return None
    name = text.strip()
    if not VERSION.fullmatch(name):
        raise RegistryError(f"expected the name of a version in {pointer}; it says {name[:80]!r}")
    if name not in versions(folder):
        raise RegistryError(
            f"the champion of {folder} is {name}, and there is no such version: promote another one"
        )
    return name


def load_version(folder: str | os.PathLike[str], version: str | None = None) -> LTVModel:
    """Load a version, by default the champion.

    Raises
    ------
    RegistryError
        As :func:`verify`; or if there is no champion.
    """
    name = champion(folder) if version is None else version
    if name is None:
        raise RegistryError(f"expected a champion in {folder}; nothing was promoted yet")
    return open_version(folder, name)


def promote(folder: str | os.PathLike[str], version: str) -> None:
    """Make a version the champion, at once for every reader.

    Raises
    ------
    RegistryError
        If there is no such version, or it is not whole.
    """
    verify(folder, version)
    path = Path(folder)
    staging = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=path))
    (staging / CHAMPION).write_text(f"{version}\n", "utf-8")
    flush(staging / CHAMPION)
    os.replace(staging / CHAMPION, path / CHAMPION)
    flush(path)
    staging.rmdir()
    _remember(path, {"version": version})


def reject(folder: str | os.PathLike[str], version: str) -> None:
    """Remember that a version was judged and is not to serve.

    Raises
    ------
    RegistryError
        If there is no such version, or it is not whole.
    """
    verify(folder, version)
    _remember(Path(folder), {"version": version, "passed_over": True})


def latest_evaluated(folder: str | os.PathLike[str]) -> str | None:
    """The last version that was added of those that were promoted or passed over, and are still there."""
    judged = {champion(folder), *(str(entry["version"]) for entry in _history(folder))}
    return next((each for each in reversed(versions(folder)) if each in judged), None)


def rollback(folder: str | os.PathLike[str]) -> str:
    """Make the champion before this one the champion again, and say which it is.

    Raises
    ------
    RegistryError
        If there was none, or it is gone.
    """
    before = _before(folder)
    if before is None:
        raise RegistryError(
            f"expected an earlier champion to go back to; {folder} has none that is still there"
        )
    promote(folder, before)
    return before


def prune(folder: str | os.PathLike[str], keep: int) -> list[str]:
    """Remove all but the newest *keep* versions, never the champion nor the one before it; say which are gone.

    Raises
    ------
    RegistryError
        If *keep* is below 1.
    """
    if keep < 1:
        raise RegistryError(f"expected 1 or more versions to keep; got {keep!r}")
    known = versions(folder)
    gone = [each for each in known[:-keep] if each not in (champion(folder), _before(folder))]
    for each in gone:
        staging = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=folder))
        os.rename(
            Path(folder) / each, staging / each
        )  # gone at once; what a kill leaves is swept up later
        shutil.rmtree(staging, ignore_errors=True)
    return gone


def diff(folder: str | os.PathLike[str], before: str, after: str) -> pd.DataFrame:
    """Parameters of two versions side by side.

    Returns
    -------
    pandas.DataFrame
        ``family``, ``parameter``; ``before``, ``before_low``, ``before_high`` and ``after`` … (95 %
        intervals); empty cells where a version has no such parameter. The last row counts the
        customers.

    Raises
    ------
    RegistryError
        As :func:`verify`.
    """
    import pandas as pd

    keys, tables = ["family", "parameter"], []
    for end, version in (("before", before), ("after", after)):
        model = load_version(folder, version)
        size = {"family": "", "parameter": "customers", "estimate": float(model.data.customers)}
        table = pd.concat(
            [model.params[[*keys, "estimate", "low", "high"]], pd.DataFrame([size])],
            ignore_index=True,
        )
        names = {"estimate": end, "low": f"{end}_low", "high": f"{end}_high"}
        tables.append(table.rename(columns=names))
    order = pd.concat([table[keys] for table in tables]).drop_duplicates()
    order = pd.concat([order[order["family"] != ""], order[order["family"] == ""]])
    return order.merge(tables[0], how="left", on=keys).merge(tables[1], how="left", on=keys)


def _remember(path: Path, entry: dict[str, object]) -> None:
    told = {"at": datetime.now(UTC).isoformat(timespec="seconds"), **entry}
    with open(path / HISTORY, "ab") as file:
        file.write(f"{json.dumps(told)}\n".encode())
    flush(path / HISTORY)


def _history(folder: str | os.PathLike[str]) -> list[dict[str, object]]:
    """What was remembered, but for a line that a kill has cut."""
    entries: list[dict[str, object]] = []
    for line in (_text(Path(folder) / HISTORY) or "").splitlines():
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(entry, dict) and "version" in entry:
            entries.append(entry)
    return entries


def _text(path: Path) -> str | None:
    """What a file of the store says; None if it is not there."""
    try:
        return path.read_text("utf-8", errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RegistryError(
            f"expected a file {path.name} in {path.parent}; could not read it: {error}"
        ) from error


def _before(folder: str | os.PathLike[str]) -> str | None:
    """The champion before this one, of those that are still there; who is promoted again ends what came after."""
    line: list[str] = []
    for name in (str(entry["version"]) for entry in _history(folder) if "passed_over" not in entry):
        line = [*line[: line.index(name)], name] if name in line else [*line, name]
    now, known = champion(folder), versions(folder)
    earlier = line[: line.index(now)] if now in line else line
    return next((each for each in reversed(earlier) if each in known), None)
