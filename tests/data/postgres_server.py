"""A PostgreSQL server of one's own on the loopback interface, for as long as the tests run."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "only-in-the-environment"


def find_binaries() -> Path | None:
    """The newest folder that holds initdb; None where no server is installed."""
    on_path = shutil.which("initdb")
    found = [Path(on_path)] if on_path else sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@contextmanager
def running() -> Iterator[str]:
    """Start a server and give its address, without a password; PGPASSWORD is in the environment meanwhile."""
    binaries = find_binaries()
    assert binaries is not None
    home = Path(tempfile.mkdtemp(prefix="postgres-"))
    user = _server_user()
    if user is not None:
        shutil.chown(home, user)
    port = _free_port()
    (home / "password").write_text(PASSWORD)
    (home / "password").chmod(0o644)
    try:
        run = {"check": True, "capture_output": True, "cwd": home}
        # runuser, not user= of subprocess: that forks, for which a process that reserves much memory has no room
        as_user = [] if user is None else ["runuser", "-u", user, "--"]
        how = [
            "-D",
            str(home / "data"),
            "-U",
            "shop",
            "-A",
            "scram-sha-256",
            f"--pwfile={home / 'password'}",
        ]
        subprocess.run([*as_user, binaries / "initdb", *how, "--no-sync"], **run)  # type: ignore[call-overload]
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories='' -c fsync=off"
        control = [
            *as_user,
            binaries / "pg_ctl",
            "-D",
            str(home / "data"),
            "-w",
            "-l",
            str(home / "log"),
        ]
        subprocess.run([*control, "-o", options, "start"], **run)  # type: ignore[call-overload]
        os.environ["PGPASSWORD"] = PASSWORD
        try:
            yield f"postgresql://shop@127.0.0.1:{port}/postgres"
        finally:
            del os.environ["PGPASSWORD"]
            subprocess.run([*control, "-m", "immediate", "stop"], **run)  # type: ignore[call-overload]
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _server_user() -> str | None:
    """The server refuses to run as root: who runs it then."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
