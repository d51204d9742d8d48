"""The champion: a pointer to one of the versions, replaced atomically, and its history."""

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
    from lifestage.model import LTVModel

__all__ = [
    "champion",
    "latest_evaluated",
    "load_version",
    "promote",
    "prune",
    "reject",
    "rollback",
]

CHAMPION, HISTORY = "champion", "history.jsonl"

REJECTED, REJECTED_BEFORE = "rejected", "passed_over"
"""Key of an entry of the history, and what older stores call it."""


def champion(folder: str | os.PathLike[str]) -> str | None:
    """Return the version in use, or None if none was promoted yet.

    Parameters
    ----------
    folder : path
        The folder of a model.

    Returns
    -------
    str or None
        The name of the version.

    Raises
    ------
    RegistryError
        If the pointer cannot be read, or names something that is not a version, or one that is not
        there.
    """
    pointer = Path(folder) / CHAMPION
    text = _read_file(pointer)
    if text is None:
        return None
    name = text.strip()
    if not VERSION.fullmatch(name):
        raise RegistryError(f"expected the name of a version in {pointer}; got {name[:80]!r}")
    if name not in versions(folder):
        raise RegistryError(
            f"the champion of {folder} is {name}, and there is no such version: promote another one"
        )
    return name


def load_version(folder: str | os.PathLike[str], version: str | None = None) -> LTVModel:
    """Load a version, by default the champion.

    Parameters
    ----------
    folder : path
        The folder of a model.
    version : str, optional
        Name of the version.

    Returns
    -------
    LTVModel

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
    """Make a version the champion; every reader sees it at once.

    Parameters
    ----------
    folder : path
        The folder of a model.
    version : str
        Name of the version.

    Raises
    ------
    RegistryError
        If there is no such version, or it is damaged.
    """
    verify(folder, version)
    path = Path(folder)
    staging = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=path))
    (staging / CHAMPION).write_text(f"{version}\n", "utf-8")
    flush(staging / CHAMPION)
    os.replace(staging / CHAMPION, path / CHAMPION)
    flush(path)
    staging.rmdir()
    _record(path, {"version": version})


def reject(folder: str | os.PathLike[str], version: str) -> None:
    """Record that a version was evaluated and not promoted.

    Parameters
    ----------
    folder : path
        The folder of a model.
    version : str
        Name of the version.

    Raises
    ------
    RegistryError
        If there is no such version, or it is damaged.
    """
    verify(folder, version)
    _record(Path(folder), {"version": version, REJECTED: True})


def latest_evaluated(folder: str | os.PathLike[str]) -> str | None:
    """Return the newest version that was promoted or rejected, of those that are still there.

    Parameters
    ----------
    folder : path
        The folder of a model.

    Returns
    -------
    str or None
        Name of the version; None if none was evaluated.
    """
    evaluated = {champion(folder)}
    evaluated.update(str(entry["version"]) for entry in _history(folder))
    return next((name for name in reversed(versions(folder)) if name in evaluated), None)


def rollback(folder: str | os.PathLike[str]) -> str:
    """Make the previous champion the champion again.

    Parameters
    ----------
    folder : path
        The folder of a model.

    Returns
    -------
    str
        Name of the version that is the champion now.

    Raises
    ------
    RegistryError
        If there was no earlier champion, or it is not there any more.
    """
    previous = _previous_champion(folder)
    if previous is None:
        raise RegistryError(
            f"expected an earlier champion to go back to; {folder} has none that is still there"
        )
    promote(folder, previous)
    return previous


def prune(folder: str | os.PathLike[str], keep: int) -> list[str]:
    """Remove old versions, never the champion or the one before it.

    Parameters
    ----------
    folder : path
        The folder of a model.
    keep : int
        Number of newest versions to keep.

    Returns
    -------
    list of str
        Names of the versions that were removed.

    Raises
    ------
    RegistryError
        If *keep* is below 1.
    """
    if keep < 1:
        raise RegistryError(f"expected 1 or more versions to keep; got {keep!r}")
    protected = (champion(folder), _previous_champion(folder))
    removed = [name for name in versions(folder)[:-keep] if name not in protected]
    for name in removed:
        # renamed first, so that it is gone at once; clean() removes what a kill leaves behind
        staging = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=folder))
        os.rename(Path(folder) / name, staging / name)
        shutil.rmtree(staging, ignore_errors=True)
    return removed


def _record(path: Path, entry: dict[str, object]) -> None:
    """Append a line to the history."""
    line = {"at": datetime.now(UTC).isoformat(timespec="seconds"), **entry}
    with open(path / HISTORY, "ab") as file:
        file.write(f"{json.dumps(line)}\n".encode())
    flush(path / HISTORY)


def _history(folder: str | os.PathLike[str]) -> list[dict[str, object]]:
    """Read the history, without a line that a kill has cut off."""
    entries: list[dict[str, object]] = []
    for line in (_read_file(Path(folder) / HISTORY) or "").splitlines():
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(entry, dict) and "version" in entry:
            entries.append(entry)
    return entries


def _read_file(path: Path) -> str | None:
    """Read a file of the store; None if it is not there."""
    try:
        return path.read_text("utf-8", errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RegistryError(
            f"expected a file {path.name} in {path.parent}; could not read it: {error}"
        ) from error


def _previous_champion(folder: str | os.PathLike[str]) -> str | None:
    """Return the champion before this one, of those that are still there.

    A version that is promoted again, as by a rollback, discards the champions since its first
    promotion.
    """
    champions: list[str] = []
    for entry in _history(folder):
        if REJECTED in entry or REJECTED_BEFORE in entry:
            continue
        name = str(entry["version"])
        if name in champions:
            champions = champions[: champions.index(name)]
        champions.append(name)
    current, stored = champion(folder), versions(folder)
    if current in champions:
        champions = champions[: champions.index(current)]
    return next((name for name in reversed(champions) if name in stored), None)
