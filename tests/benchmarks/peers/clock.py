"""What every run is measured by: seconds of a call, memory before and at its peak. Needs Python alone.

A run is a process of its own, ``python run_NAME.py TASK OPTIONS`` with OPTIONS a JSON object. A task loads its data
and gives back the call that is measured, so imports and loading are outside the clock. The first line printed says
that the clock starts, the second that it stops, the last holds the result as JSON; what the call gives under ``"then"`` is called off the clock.
A short call is made again in the same process: what it then takes less is loading of modules and compiled code.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

SHORT = 10.0
"""Seconds up to which a call is made again."""

Call = Callable[[], dict[str, Any]]


def memory_mb(field: str) -> float:
    """Memory of this process in MB: what it holds (``VmRSS``) or has held at most (``VmHWM``).

    Linux tells both; elsewhere the most since the start stands for either.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return (
            next(
                int(line.split()[1])
                for line in status.read_text().splitlines()
                if line.startswith(field)
            )
            / 1e3
        )
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1e6 if sys.platform == "darwin" else 1e3
    )


def forget_peak() -> None:
    """Let the most that was held count from now, where the system can."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def main(tasks: dict[str, Callable[..., Call]]) -> None:
    """Run the task named on the command line and print what was measured."""
    call = tasks[sys.argv[1]](**json.loads(sys.argv[2]))
    forget_peak()
    before = memory_mb("VmRSS")
    print("start", flush=True)
    start = time.perf_counter()
    result = call()
    measured = {
        "seconds": time.perf_counter() - start,
        "before_mb": before,
        "peak_mb": memory_mb("VmHWM"),
    }
    print("stop", flush=True)
    if measured["seconds"] < SHORT:
        start = time.perf_counter()
        call()
        measured["again_seconds"] = time.perf_counter() - start
    if then := result.pop("then", None):
        result |= then()
    print(json.dumps(measured | result), flush=True)
