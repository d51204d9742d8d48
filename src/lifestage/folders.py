"""Folders that appear whole or not at all, and never take the place of something else."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lifestage.errors import ConfigError

__all__ = ["refuse_others", "staging_folder"]


def refuse_others(target: Path, own: frozenset[str]) -> None:
    """Refuse to write where a file stands, or a folder with anything but files of the names *own*.

    Raises
    ------
    ConfigError
        Naming what is there.
    """
    if target.exists() and not target.is_dir():
        raise ConfigError(f"expected a folder to write into; {target} is a file and is left alone")
    others = sorted({path.name for path in target.iterdir()} - own) if target.exists() else []
    if others:
        listed = ", ".join(others[:3]) + (" …" if len(others) > 3 else "")
        raise ConfigError(f"expected a new folder or one of an earlier run; {target} holds {listed} and is left alone")


@contextmanager
def staging_folder(target: Path) -> Iterator[Path]:
    """A folder beside *target* that takes its place at the end; after an error nothing new is left.

    The old folder is removed only after the new one stands. Parents that had to be made are removed after an error.
    """
    made = [parent for parent in target.parents if not parent.exists()]
    staging = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        yield staging
        staging.chmod(0o755)
        old = None
        if target.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
            target.rename(old / target.name)
        staging.rename(target)
        if old is not None:
            shutil.rmtree(old)
    except BaseException:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)
        for parent in made:
            if parent.exists() and not any(parent.iterdir()):
                parent.rmdir()
        raise
