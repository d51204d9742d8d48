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
"""What is locked, and who holds it: a file of its own, for a lock empties or hides its file."""


@contextmanager
def lock(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Hold a model against a second writer; the system frees the lock when the process ends, however it ends.

    Raises
    ------
    LockedError
        If another holds it, saying who and since when.
    RegistryError
        If the folder cannot be written.
    """
    from filelock import FileLock, Timeout

    path = Path(folder)
    held = FileLock(path / LOCK, thread_local=False)
    try:
        path.mkdir(parents=True, exist_ok=True)
        held.acquire(timeout=0)
        (path / HOLDER).write_text(
            f"process {os.getpid()} since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC", "utf-8"
        )
    except Timeout:
        raise LockedError(
            f"{path} is locked by {_holder(path)}: try again when it is done"
        ) from None
    except OSError as error:
        held.release()
        raise RegistryError(f"expected a folder of a model to write to; {path}: {error}") from error
    try:
        yield
    finally:
        (path / HOLDER).unlink(missing_ok=True)
        held.release()


def _holder(path: Path) -> str:
    try:
        return (path / HOLDER).read_text("utf-8", errors="replace")[:200] or "another process"
    except OSError:
        return "another process"
