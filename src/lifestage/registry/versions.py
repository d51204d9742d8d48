"""Versions of a model on disk: complete and unchanged, or refused."""

from __future__ import annotations

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
from lifestage.registry.manifest import MANIFEST, check_files, content_hash, manifest_of

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

VERSION = re.compile(r"[0-9]{8}T[0-9]{12}Z-[0-9a-f]{8}")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
STAMP = "%Y%m%dT%H%M%S%fZ"
PARTIAL = ".partial-"
"""Prefix of the names of what is still being written."""


def check_name(name: str) -> str:
    """Return the name of a model if it is valid.

    Parameters
    ----------
    name : str
        Letters, digits, ``-``, ``_`` and ``.``, a letter or digit first.

    Returns
    -------
    str
        The name.

    Raises
    ------
    RegistryError
        If it is not valid.

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
    """Return the folder of a model in a store.

    Parameters
    ----------
    store : path
        Folder of all models.
    name : str
        Name of the model.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    RegistryError
        If the name is not valid.
    """
    return local_path(store) / check_name(name)


def versions(folder: str | os.PathLike[str]) -> list[str]:
    """List the versions of a model in the order in which they were added.

    Parameters
    ----------
    folder : path
        The folder of a model.

    Returns
    -------
    list of str

    Raises
    ------
    RegistryError
        If the folder cannot be read.
    """
    path = Path(folder)
    if not path.is_dir():
        return []
    try:
        folders = [file for file in path.iterdir() if file.is_dir()]
        return sorted(file.name for file in folders if VERSION.fullmatch(file.name))
    except OSError as error:
        raise RegistryError(
            f"expected a folder of versions in {path}; could not read it: {error}"
        ) from error


def add_version(
    folder: str | os.PathLike[str], model: LTVModel, texts: Mapping[str, str] | None = None
) -> str:
    """Write a model as a new version, atomically; the champion stays.

    Parameters
    ----------
    folder : path
        The folder of a model.
    model : LTVModel
    texts : mapping of file name to text, optional
        Texts to store with it: ``card.md``, ``release_notes.md``.

    Returns
    -------
    str
        The name of the version.

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
        content = staging / "model"
        model.save(content)
        for name, text in (texts or {}).items():
            (content / check_name(name)).write_text(text, "utf-8")
        manifest = manifest_of(content, datetime.now(UTC))
        (content / MANIFEST).write_bytes(manifest)
        # all on disk before the rename that makes it a version
        for path in [*content.iterdir(), content]:
            flush(path)
        version = f"{_next_stamp(target)}-{content_hash(manifest)[:8]}"
        os.rename(content, target / version)
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
    """Write the time as a name later than every stored version, whatever the clock says."""
    now, stored = datetime.now(UTC), versions(folder)
    if stored:
        newest = datetime.strptime(stored[-1][: -len("-01234567")], STAMP).replace(tzinfo=UTC)
        now = max(now, newest + timedelta(microseconds=1))
    return now.strftime(STAMP)


def verify(folder: str | os.PathLike[str], version: str) -> Path:
    """Check that a version is complete and unchanged.

    Parameters
    ----------
    folder : path
        The folder of a model.
    version : str
        Name of the version.

    Returns
    -------
    pathlib.Path
        The folder of the version.

    Raises
    ------
    RegistryError
        Naming what is wrong: the name, a newer schema, or a file that is missing, changed, a link,
        or foreign.
    """
    if not VERSION.fullmatch(version) or version not in versions(folder):
        raise RegistryError(f"expected a version of {folder}; got {version!r}")
    path = Path(folder) / version
    try:
        check_files(path, version)
    except RegistryError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RegistryError(
            f"expected a version of a model in {path}; could not read it: {error}"
        ) from error
    return path


def open_version(folder: str | os.PathLike[str], version: str) -> LTVModel:
    """Load a version.

    Parameters
    ----------
    folder : path
        The folder of a model.
    version : str
        Name of the version.

    Returns
    -------
    LTVModel

    Raises
    ------
    RegistryError
        As :func:`verify`.
    """
    return load(verify(folder, version))


def read_text(folder: str | os.PathLike[str], version: str, name: str) -> str:
    """Read a text of a version, such as ``card.md``.

    Parameters
    ----------
    folder : path
        The folder of a model.
    version : str
        Name of the version.
    name : str
        Name of the file.

    Returns
    -------
    str

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
    """Remove what a killed writer left behind; call it while you hold the :func:`lock`."""
    for path in Path(folder).glob(f"{PARTIAL}*"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Force a file or folder to disk, where the system lets us, so that it outlasts a crash."""
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
