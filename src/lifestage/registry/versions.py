"""Versions of a model on disk: whole, unchanged, or refused."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from lifestage.core.addresses import local_path
from lifestage.core.errors import RegistryError
from lifestage.model import load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifestage.model import LTVModel

__all__ = [
    "PARTIAL",
    "VERSION",
    "add_version",
    "check_name",
    "clean",
    "flush",
    "model_folder",
    "open_version",
    "read_text",
    "verify",
    "versions",
]

SCHEMA = 1
MANIFEST = "manifest.json"
VERSION = re.compile(r"[0-9]{8}T[0-9]{12}Z-[0-9a-f]{8}")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
STAMP = "%Y%m%dT%H%M%S%fZ"
PARTIAL = ".partial-"
"""Beginning of the names of what is not whole yet."""


def check_name(name: str) -> str:
    """Give back the name of a model if it is one: letters, digits, ``-``, ``_`` and ``.``, a letter or digit first.

    Raises
    ------
    RegistryError
        If it is not.

    Examples
    --------
    >>> check_name("shop-eu.2")
    'shop-eu.2'
    """
    if not NAME.fullmatch(name):
        raise RegistryError(
            "expected a name of letters, digits, '-', '_' and '.', not beginning with '.'; got"
            f" {name!r}"
        )
    return name


def model_folder(store: str | os.PathLike[str], name: str) -> Path:
    """The folder of a model in a store.

    Raises
    ------
    RegistryError
        If the name is none.
    """
    return local_path(store) / check_name(name)


def versions(folder: str | os.PathLike[str]) -> list[str]:
    """The versions of a model in the order in which they were added.

    Raises
    ------
    RegistryError
        If the folder cannot be read.
    """
    path = Path(folder)
    if not path.is_dir():
        return []
    try:
        return sorted(
            each.name for each in path.iterdir() if VERSION.fullmatch(each.name) and each.is_dir()
        )
    except OSError as error:
        raise RegistryError(
            f"expected a folder of versions in {path}; could not read it: {error}"
        ) from error


def add_version(
    folder: str | os.PathLike[str], model: LTVModel, texts: Mapping[str, str] | None = None
) -> str:
    """Write a model as a new version, whole or not at all, and say its name; the champion stays.

    Parameters
    ----------
    texts : mapping of file name to text, optional
        What else belongs to it: ``card.md``, ``changes.md``.

    Raises
    ------
    RegistryError
        If the folder cannot be written.

    Examples
    --------
    >>> import lifestage as ls, tempfile
    >>> model = ls.fit(ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week"))
    >>> folder = tempfile.mkdtemp()
    >>> version = add_version(folder, model)
    >>> open_version(folder, version)
    LTVModel(bg/nbd + gamma-gamma, mle, 2,357 customers until 1997-09-30)
    """
    target = Path(folder)
    staging = None
    try:
        target.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=target))
        whole = staging / "model"
        model.save(whole)
        for name, text in (texts or {}).items():
            (whole / check_name(name)).write_text(text, "utf-8")
        files = {each.name: _hash(each.read_bytes()) for each in sorted(whole.iterdir())}
        created = datetime.now(UTC).isoformat()
        manifest = json.dumps(
            {"schema": SCHEMA, "created": created, "files": files}, indent=1
        ).encode()
        (whole / MANIFEST).write_bytes(manifest)
        for each in [*whole.iterdir(), whole]:
            flush(each)
        version = f"{_next_stamp(target)}-{_hash(manifest)[:8]}"
        os.rename(whole, target / version)
        flush(target)
        return version
    except (OSError, ValueError) as error:
        raise RegistryError(
            f"expected a folder to write a model into; {target}: {error}"
        ) from error
    finally:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)


def _next_stamp(folder: Path) -> str:
    """The time as a name, later than that of every version that is there, whatever the clock says."""
    now, known = datetime.now(UTC), versions(folder)
    if known:
        newest = datetime.strptime(known[-1][: -len("-01234567")], STAMP).replace(tzinfo=UTC)
        now = max(now, newest + timedelta(microseconds=1))
    return now.strftime(STAMP)


def verify(folder: str | os.PathLike[str], version: str) -> Path:
    """Check that a version is whole and unchanged, and give its folder.

    Raises
    ------
    RegistryError
        Naming what is wrong: the name, a newer schema, a file that is missing, changed, a link, or
        not its own.
    """
    if not VERSION.fullmatch(version) or version not in versions(folder):
        raise RegistryError(f"expected a version of {folder}; got {version!r}")
    path = Path(folder) / version
    try:
        files = {each.name: each for each in path.iterdir()}
        strange = [name for name, each in files.items() if each.is_symlink() or not each.is_file()]
        if path.is_symlink() or strange:
            raise RegistryError(
                f"{path} holds what is not a plain file:"
                f" {', '.join(strange) or 'it is a link itself'}"
            )
        manifest = (path / MANIFEST).read_bytes()
        known = json.loads(manifest)
        if known["schema"] > SCHEMA:
            raise RegistryError(
                f"{path} was written by a newer version (schema {known['schema']}, known: {SCHEMA})"
            )
        if _hash(manifest)[:8] != version[-8:]:
            raise RegistryError(
                f"{path / MANIFEST} was changed after it was written: its hash is not that of the"
                " name"
            )
        wrong = sorted(
            {*files, *known["files"]} - {MANIFEST} - (files.keys() & known["files"].keys())
        )
        if wrong:
            raise RegistryError(f"{path} is missing, or holds beside its own: {', '.join(wrong)}")
        changed = [
            name
            for name, digest in known["files"].items()
            if _hash(files[name].read_bytes()) != digest
        ]
        if changed:
            raise RegistryError(f"{path} was changed after it was written: {', '.join(changed)}")
    except RegistryError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RegistryError(
            f"expected a version of a model in {path}; could not read it: {error}"
        ) from error
    return path


def open_version(folder: str | os.PathLike[str], version: str) -> LTVModel:
    """Load a version.

    Raises
    ------
    RegistryError
        As :func:`verify`.
    """
    return load(verify(folder, version))


def read_text(folder: str | os.PathLike[str], version: str, name: str) -> str:
    """A text of a version, such as ``card.md``.

    Raises
    ------
    RegistryError
        As :func:`verify`; or if it has no such text.
    """
    path = verify(folder, version) / check_name(name)
    if not path.exists():
        raise RegistryError(f"expected {name} in version {version}; it has none")
    return path.read_text("utf-8", errors="replace")


def clean(folder: str | os.PathLike[str]) -> None:
    """Remove what a killed writer has left; call it under the :func:`lock`."""
    for each in Path(folder).glob(f"{PARTIAL}*"):
        shutil.rmtree(each, ignore_errors=True) if each.is_dir() else each.unlink(missing_ok=True)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def flush(path: Path) -> None:
    """Make what was written outlast a crash of the machine, where the system lets us."""
    try:
        number = os.open(path, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(number)
    except OSError:
        pass
    finally:
        os.close(number)
