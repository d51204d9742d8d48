"""One writer at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from lifestage.errors import LockedError

__all__ = ["lock"]

LOCK = ".lock"


@contextmanager
def lock(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Hold a model against a second writer; the system frees the lock when the process ends, however it ends.

    Raises
    ------
    LockedError
        If another holds it, saying who and since when.
    """
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    with open(path / LOCK, "a+", encoding="utf-8") as file:
        try:
            _take(file.fileno())
        except OSError as error:
            file.seek(0)
            holder = file.read().strip() or "another process"
            raise LockedError(f"{path} is locked by {holder}: try again when it is done") from error
        file.truncate(0)
        file.write(f"process {os.getpid()} since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")
        file.flush()
        yield


def _take(number: int) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        msvcrt.locking(number, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    else:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
