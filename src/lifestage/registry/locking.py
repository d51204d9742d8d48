"""One writer at a time."""

from __future__ import annotations

import os
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lifestage.core.errors import LockedError, RegistryError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["lock"]

LOCK, HOLDER = ".lock", ".lock-holder"
"""The lock and the name of its holder: two files, as locking may empty or hide the first."""


@contextmanager
def lock(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Hold the lock of a model, so that only one process writes it.

    The system frees the lock when the process ends, however it ends.

    Parameters
    ----------
    folder : path
        The folder of a model.

    Raises
    ------
    LockedError
        If another process holds the lock; the message says which, and since when.
    RegistryError
        If the folder cannot be written.
    """
    from filelock import FileLock, Timeout

    path = Path(folder)
    file_lock = FileLock(path / LOCK, thread_local=False)
    try:
        path.mkdir(parents=True, exist_ok=True)
        file_lock.acquire(timeout=0)
        (path / HOLDER).write_text(
            f"process {os.getpid()} since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC", "utf-8"
        )
    except Timeout:
        raise LockedError(
            f"{path} is locked by {_holder(path)}: try again when it is done"
        ) from None
    except OSError as error:
        file_lock.release()
        raise RegistryError(f"expected a folder of a model to write to; {path}: {error}") from error
    try:
        yield
    finally:
        (path / HOLDER).unlink(missing_ok=True)
        file_lock.release()


def _holder(path: Path) -> str:
    try:
        return (path / HOLDER).read_text("utf-8", errors="replace")[:200] or "another process"
    except OSError:
        return "another process"
