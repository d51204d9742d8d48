"""Write results whole or not at all, and never over something else.

A result is written into a private folder beside its target, ``.<name>-<32 hex digits>``, which only
this user can read and which is locked while the process runs. It holds data of customers, so a
folder left by a killed process is removed the next time that the same result is written.
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
    "private_folder",
    "process_folder",
    "remove_abandoned",
    "staging_file",
    "staging_folder",
]

_UMASK = Lock()
_PROCESS_FOLDERS: dict[tuple[int, Path], Path] = {}
LOCK, OLD = ".lock", ".old"
AT_FDCWD, RENAME_EXCHANGE = -100, 2
"""Constants of Linux: paths from the working directory; exchange two names in one step."""


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
    """Yield a folder that replaces *target* at the end; after an error nothing new is left.

    Where the system can exchange two folders in one step (Linux), a reader finds the old or the new
    one at any moment. Elsewhere the target is missing for an instant; if the process is killed in
    that instant, the next run restores it. A replaced result keeps its permissions; a new one
    follows the umask or, if *private*, can be read by its user alone.
    """
    with _folder_beside(target) as workspace:
        new = workspace / target.name
        new.mkdir()
        yield new
        for path in (new, *new.rglob("*")):
            _set_permissions(path, target / path.relative_to(new), private)
        _put_in_place(new, target)


@contextmanager
def staging_file(target: Path, *, private: bool = False) -> Iterator[Path]:
    """Yield the path of a file that replaces *target* at the end; see :func:`staging_folder`."""
    with _folder_beside(target) as workspace:
        new = workspace / target.name
        yield new
        _set_permissions(new, target, private)
        os.replace(new, target)


@contextmanager
def private_folder(path: Path) -> Iterator[Path]:
    """Yield a new folder for this user alone, locked while in use and removed at the end."""
    lock, maker = None, os.getpid()
    try:
        # Another process may remove the folder as abandoned before it is locked: try again.
        while lock is None:
            path.mkdir(mode=0o700, exist_ok=True)
            lock = _acquire(path)
        yield path
    finally:
        if os.getpid() == maker:  # and not a fork of it
            if lock is not None:
                lock.release()
            _remove(path)


def process_folder(folder: Path, name: str) -> Path:
    """Return the private folder of this process in *folder*: always the same, removed at exit."""
    key = (os.getpid(), folder.resolve())
    workspace = _PROCESS_FOLDERS.get(key)
    if workspace is None or not workspace.exists():
        folder.mkdir(parents=True, exist_ok=True)
        remove_abandoned(folder, name)
        stack = ExitStack()
        workspace = _PROCESS_FOLDERS[key] = stack.enter_context(
            private_folder(folder / f".{name}-{uuid4().hex}")
        )
        atexit.register(stack.close)
    return workspace


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
    """Remove what killed processes left for *name* in *folder*, and finish their exchange."""
    pattern = re.compile(re.escape(f".{name}-") + "[0-9a-f]{32}")
    for workspace in list(folder.iterdir()):
        if not pattern.fullmatch(workspace.name):
            continue
        with suppress(OSError):  # it is another user's, or another process has removed it
            if workspace.is_symlink() or not (workspace / LOCK).exists():
                continue
            lock = _acquire(workspace)
            if lock is not None:
                _restore(workspace, folder / name)
                lock.release()
                _remove(workspace)


@contextmanager
def _folder_beside(target: Path) -> Iterator[Path]:
    """Yield a private folder beside *target*; parents made for it are removed after an error."""
    made = [parent for parent in target.parents if not parent.exists()]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        remove_abandoned(target.parent, target.name)
        with private_folder(target.with_name(f".{target.name}-{uuid4().hex}")) as workspace:
            try:
                yield workspace
            finally:
                _restore(workspace, target)
    except BaseException:
        for parent in made:
            with suppress(OSError):  # it is not empty
                parent.rmdir()
        raise


def _acquire(workspace: Path) -> BaseFileLock | None:
    """Lock a private folder; None if another process holds the lock or has just removed it."""
    from filelock import FileLock, Timeout

    lock = FileLock(workspace / LOCK, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except (Timeout, FileNotFoundError):
        return None
    if (workspace / LOCK).exists():
        return lock
    lock.release()
    return None


def _set_permissions(path: Path, old: Path, private: bool) -> None:
    """Give a new file the group and permissions of the one it replaces, or, if *private*, none."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if old.exists():
        replaced = old.stat()
        mode = stat.S_IMODE(replaced.st_mode)
        if replaced.st_gid != path.stat().st_gid:
            try:
                os.chown(path, -1, replaced.st_gid)
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
    """Exchange two folders in one step; False where the system cannot."""
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


def _restore(workspace: Path, target: Path) -> None:
    """Restore a target that was moved away before its complete successor took its place."""
    if (workspace / OLD).exists() and not target.exists():
        complete = workspace / target.name
        (complete if complete.exists() else workspace / OLD).rename(target)


def _remove(workspace: Path) -> None:
    """Remove a folder, also when a signal interrupts it."""
    try:
        shutil.rmtree(workspace, ignore_errors=True)
    except BaseException:
        shutil.rmtree(workspace, ignore_errors=True)
        raise
