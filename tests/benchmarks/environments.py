"""A Python of its own for every peer, made when it is first needed and kept."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".benchmarks"

LIFETIMES, PYMC_MARKETING, WITH_NUTPIE = "lifetimes", "pymc-marketing", "pymc-marketing+nutpie"
PEERS = {
    LIFETIMES: ["lifetimes==0.11.3"],
    PYMC_MARKETING: ["pymc-marketing"],
    WITH_NUTPIE: ["pymc-marketing", "nutpie"],
}
"""What is installed for each peer. PyMC samples with nutpie by itself where it is there, so both are peers."""


class Unavailable(Exception):
    """A peer that cannot be had here, and why."""


def python_of(peer: str) -> str:
    """The Python of a peer; its environment is made if there is none that is complete.

    Raises
    ------
    Unavailable
        If it cannot be made.
    """
    folder = HOME / "environments" / peer
    python, complete = folder / "bin" / "python", folder / "complete"
    if not complete.exists():
        uv = shutil.which("uv")
        if uv is None:
            raise Unavailable("uv is not installed")
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        _do([uv, "venv", "--quiet", "--clear", "--python", version, str(folder)])
        _do([uv, "pip", "install", "--quiet", "--python", str(python), *PEERS[peer], "pyarrow"])
        complete.touch()
    return str(python)


def versions(peer: str) -> dict[str, str]:
    """Versions of the packages that matter, of a peer that is installed."""
    wanted = {
        "lifetimes",
        "pymc-marketing",
        "pymc",
        "pytensor",
        "nutpie",
        "numba",
        "numpy",
        "scipy",
        "pandas",
    }
    uv = shutil.which("uv") or "uv"
    listed = _do([uv, "pip", "list", "--quiet", "--format", "json", "--python", python_of(peer)])
    return {each["name"]: each["version"] for each in json.loads(listed) if each["name"] in wanted}


def _do(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise Unavailable(f"{' '.join(command[1:3])} failed: {last.strip()}")
    return done.stdout
