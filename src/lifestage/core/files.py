"""Results that appear whole or not at all, and never take the place of something else.

A result is made in a room of its own beside its place, ``.<name>-<32 hex digits>``, which nobody
else can read and which is locked as long as its maker lives. What is made there holds customers, so
a room whose maker was killed is removed the next time that the same result is made.
"""

from __future__ import annotations

import atexit
import ctypes
import errno
import os
import re
import shutil
import stat
import sys
from contextlib import ExitStack, contextmanager, suppress
from threading import Lock
from typing import TYPE_CHECKING
from uuid import uuid4

from lifestage.core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filelock import BaseFileLock

__all__ = [
    "ensure_empty_or_own",
    "files_like",
    "private_room",
    "remove_abandoned",
    "room_of_process",
    "staging_file",
    "staging_folder",
]

_UMASK = Lock()
_ROOMS: dict[tuple[int, Path], Path] = {}
LOCK, OLD = ".lock", ".old"
AT_FDCWD, RENAME_EXCHANGE = -100, 2
"""Of Linux: paths from the working directory; two names change places in one step."""


def ensure_empty_or_own(target: Path, own: frozenset[str]) -> None:
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
        raise ConfigError(
            f"expected a new folder or one of an earlier run; {target} holds {listed} and is left"
            " alone"
        )


@contextmanager
def staging_folder(target: Path, *, private: bool = False) -> Iterator[Path]:
    """A folder that takes the place of *target* at the end; after an error nothing new is left.

    Where the system can exchange two folders in one step (Linux), a reader finds the old or the new
    one at any moment. Elsewhere the place is empty for an instant, and a kill in that instant is
    mended the next time. What replaces a result has its permissions; what is new follows the umask
    or, if *private*, can be read by its user alone.
    """
    with _room_beside(target) as room:
        new = room / target.name
        new.mkdir()
        yield new
        for path in (new, *new.rglob("*")):
            _set_permissions(path, target / path.relative_to(new), private)
        _put_in_place(new, target)


@contextmanager
def staging_file(target: Path, *, private: bool = False) -> Iterator[Path]:
    """The same for a file: the path to write to, whose file takes the place of *target* at the end."""
    with _room_beside(target) as room:
        new = room / target.name
        yield new
        _set_permissions(new, target, private)
        os.replace(new, target)


@contextmanager
def private_room(path: Path) -> Iterator[Path]:
    """A new folder that only this user can read, locked as long as this process lives; removed at the end."""
    lock, maker = None, os.getpid()
    try:
        while (
            lock is None
        ):  # what removes the rooms of the dead may come between the folder and its lock
            path.mkdir(mode=0o700, exist_ok=True)
            lock = _take(path)
        yield path
    finally:
        if os.getpid() == maker:  # and not a fork of it
            if lock is not None:
                lock.release()
            _remove(path)


def room_of_process(folder: Path, name: str) -> Path:
    """The private room of this process in *folder*, the same one each time, removed when the process ends."""
    key = (os.getpid(), folder.resolve())
    room = _ROOMS.get(key)
    if room is None or not room.exists():
        folder.mkdir(parents=True, exist_ok=True)
        remove_abandoned(folder, name)
        made = ExitStack()
        room = _ROOMS[key] = made.enter_context(private_room(folder / f".{name}-{uuid4().hex}"))
        atexit.register(made.close)
    return room


@contextmanager
def files_like(path: Path) -> Iterator[None]:
    """Let new files have the permissions of *path*, or none for others where it is not there yet.

    For what an engine makes itself: a database file and the log beside it. The umask is one of the
    process, so there is one of these at a time; files that other threads make meanwhile may get
    fewer permissions, never more.
    """
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o600
    with _UMASK:
        before = os.umask(0o777 & ~mode)
        try:
            yield
        finally:
            os.umask(before)


def remove_abandoned(folder: Path, name: str) -> None:
    """Remove the rooms for *name* in *folder* whose makers are dead, and mend what the death has left half done."""
    pattern = re.compile(re.escape(f".{name}-") + "[0-9a-f]{32}")
    for room in [each for each in folder.iterdir() if pattern.fullmatch(each.name)]:
        with suppress(OSError):  # it is another user's, or another process has removed it
            if room.is_symlink() or not (room / LOCK).exists():
                continue
            lock = _take(room)
            if lock is not None:
                _mend(room, folder / name)
                lock.release()
                _remove(room)


@contextmanager
def _room_beside(target: Path) -> Iterator[Path]:
    """A room on the file system of *target*; parents that had to be made are removed after an error."""
    made = [parent for parent in target.parents if not parent.exists()]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        remove_abandoned(target.parent, target.name)
        with private_room(target.with_name(f".{target.name}-{uuid4().hex}")) as room:
            try:
                yield room
            finally:
                _mend(room, target)
    except BaseException:
        for parent in made:
            with suppress(OSError):  # it is not empty
                parent.rmdir()
        raise


def _take(room: Path) -> BaseFileLock | None:
    """The lock of a room; None if another process holds it, or has just removed the room."""
    from filelock import FileLock, Timeout

    lock = FileLock(room / LOCK, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except (Timeout, FileNotFoundError):
        return None
    if (room / LOCK).exists():
        return lock
    lock.release()
    return None


def _set_permissions(path: Path, old: Path, private: bool) -> None:
    """Give a new file the group and permissions of the one that it replaces; else, if *private*, none to others."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if old.exists():
        known = old.stat()
        mode = stat.S_IMODE(known.st_mode)
        if known.st_gid != path.stat().st_gid:
            try:
                os.chown(path, -1, known.st_gid)
            except OSError:  # what was shared with that group is not to be shared with this one
                mode &= ~stat.S_IRWXG
    elif private:
        mode &= stat.S_IRWXU
    path.chmod(mode)


def _put_in_place(new: Path, target: Path) -> None:
    if not target.exists():
        try:
            new.rename(target)
        except OSError:
            if not target.exists():  # otherwise another process was faster
                raise
        else:
            return
    if not _exchange(new, target):
        target.rename(new.parent / OLD)
        new.rename(target)


def _exchange(one: Path, other: Path) -> bool:
    """Let two folders change places in one step; False where the system cannot."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2 if sys.platform == "linux" else None
    except (OSError, AttributeError):
        rename = None
    if rename is None:
        return False
    if rename(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.ENOSYS, errno.EINVAL):  # an older kernel, or a file system that cannot
        return False
    raise OSError(number, os.strerror(number), str(other))


def _mend(room: Path, target: Path) -> None:
    """Fill the place of a result that was moved away when its successor, whole already, was not there yet."""
    if (room / OLD).exists() and not target.exists():
        whole = room / target.name
        (whole if whole.exists() else room / OLD).rename(target)


def _remove(room: Path) -> None:
    """Remove a folder, also when a signal interrupts it."""
    try:
        shutil.rmtree(room, ignore_errors=True)
    except BaseException:
        shutil.rmtree(room, ignore_errors=True)
        raise
