"""Run a script in a process of its own, time it, watch its memory, and stop it where it takes too long."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.benchmarks.environments import HOME, PEERS, Unavailable, python_of

if TYPE_CHECKING:
    from collections.abc import Callable

SCRIPTS = Path(__file__).parent / "peers"
LONG = 60.0
"""Seconds from which a run is not repeated."""


@dataclass(frozen=True)
class Run:
    """One thing that was run: the median seconds of its repeats, the largest memory, the result of the last.

    Attributes
    ----------
    seconds : float
        Of the call alone; where it was stopped, the limit.
    first_seconds : float or None
        Of the very first call of this kind, compilation included.
    again_seconds : float or None
        Of a second call in the same process, if the first was short.
    process_seconds : float
        Of the whole process, start, imports and loading included.
    before_mb, peak_mb : float
        Memory when the clock started and at its peak until it stopped; processes that it started are counted.
    stopped : bool
        Whether the limit was reached; ``result["progress"]`` then tells how far it was.
    missing : str
        Why there is no number; empty if there is one.
    repeats : tuple of float
        Seconds of every repeat, in order; the first of a peer may hold what it compiles and keeps on disk.
    """

    name: str
    seconds: float = float("nan")
    first_seconds: float | None = None
    again_seconds: float | None = None
    process_seconds: float = float("nan")
    before_mb: float = float("nan")
    peak_mb: float = float("nan")
    stopped: bool = False
    missing: str = ""
    repeats: tuple[float, ...] = ()
    result: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Bench:
    """What all cases are told: sizes (the case's own if None), peers, the limit of one run, repeats."""

    sizes: tuple[int, ...] | None
    peers: frozenset[str]
    limit_seconds: float
    repeats: int

    @property
    def data(self) -> Path:
        return HOME / "data"

    def sizes_or(self, default: tuple[int, ...]) -> tuple[int, ...]:
        return self.sizes or default

    def asked(self, *names: str) -> list[str]:
        """Those of the peers that are wanted."""
        return [name for name in names if name in self.peers]

    def ours(self, task: str, **options: Any) -> Callable[[], Run]:
        """A run of our side."""
        return lambda: self._measure("lifestage", sys.executable, "run_lifestage.py", task, options)

    def first(self, task: str, **options: Any) -> float | None:
        """Seconds of our side with no compiled kernel on disk."""
        with tempfile.TemporaryDirectory() as cache:
            run = self._measure(
                "lifestage, nothing compiled",
                sys.executable,
                "run_lifestage.py",
                task,
                options,
                cache,
            )
        return None if run.missing else run.seconds

    def peer(self, name: str, task: str, **options: Any) -> Callable[[], Run]:
        """A run of a peer, in its environment."""

        def go() -> Run:
            try:
                python = python_of(name)
            except Unavailable as reason:
                return Run(name, missing=f"not installed: {reason}")
            return self._measure(
                name, python, f"run_{name.split('+')[0].replace('-', '_')}.py", task, options
            )

        return go

    def floor(self, task: str, **options: Any) -> Callable[[], Run]:
        """A run of DuckDB alone, in our environment."""
        return lambda: self._measure("DuckDB query", sys.executable, "run_duckdb.py", task, options)

    def _measure(
        self,
        name: str,
        python: str,
        script: str,
        task: str,
        options: dict[str, Any],
        cache: str | None = None,
    ) -> Run:
        print(f"  {name}: {task} {_brief(options)}", flush=True)
        run = _start(name, python, script, task, options, self.limit_seconds, cache)
        print(f"    {run.missing or f'{run.seconds:.3f} s, {run.peak_mb:,.0f} MB'}", flush=True)
        return run


def alternate(bench: Bench, *runs: Callable[[], Run]) -> list[Run]:
    """Run all in turn, so often as the bench says, and give the medians; a long or failed one runs once."""
    done: list[list[Run]] = [[] for _ in runs]
    for turn in range(bench.repeats):
        for run, seen in zip(runs, done, strict=True):
            if turn == 0 or not (
                seen[0].missing or seen[0].stopped or seen[0].process_seconds > LONG
            ):
                seen.append(run())
    return [_median(seen) for seen in done]


def _median(runs: list[Run]) -> Run:
    last = runs[-1]
    if len(runs) == 1:
        return last
    middle = {
        key: statistics.median(getattr(r, key) for r in runs)
        for key in ("seconds", "process_seconds")
    }
    again = [run.again_seconds for run in runs if run.again_seconds is not None]
    most = {key: max(getattr(r, key) for r in runs) for key in ("before_mb", "peak_mb")}
    return replace(
        last,
        **middle,
        **most,
        again_seconds=statistics.median(again) if again else None,
        repeats=tuple(run.seconds for run in runs),
    )


def _start(
    name: str,
    python: str,
    script: str,
    task: str,
    options: dict[str, Any],
    limit: float,
    cache: str | None = None,
) -> Run:
    """One process, from start to end or to the limit, which counts from the start of the clock."""
    environment = os.environ | ({"NUMBA_CACHE_DIR": cache} if cache else {})
    if python != sys.executable:
        environment.pop("PYTHONPATH", None)  # a peer finds nothing of ours
    command = [python, str(SCRIPTS / script), task, json.dumps(options, default=str)]
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        began = time.perf_counter()
        with out.open("wb") as to_out, err.open("wb") as to_err:
            process = subprocess.Popen(
                command, stdout=to_out, stderr=to_err, env=environment, start_new_session=True
            )
        clock, peak = None, 0.0
        try:
            while process.poll() is None:
                marks = out.read_text().count("\n")
                if marks == 1:
                    clock = clock or time.perf_counter()
                    peak = max(peak, tree_mb(process.pid))
                    if time.perf_counter() - clock > limit:
                        break
                time.sleep(0.05)
            stopped = process.poll() is None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        seconds = time.perf_counter() - began
        lines, words = out.read_text().splitlines(), err.read_text().strip().splitlines()
    last = words[-1] if words else ""
    if stopped:
        result = {"progress": last}
        return Run(name, limit, process_seconds=seconds, peak_mb=peak, stopped=True, result=result)
    if process.returncode or len(lines) < 3:
        return Run(name, missing=f"failed ({process.returncode}): {last[:200]}")
    measured = json.loads(lines[-1])
    own = {
        key: measured.pop(key, None) for key in ("seconds", "again_seconds", "before_mb", "peak_mb")
    }
    own["peak_mb"] = max(own["peak_mb"], peak)
    return Run(name, **own, process_seconds=seconds, result=measured)


def tree_mb(pid: int) -> float:
    """Memory of a process and its descendants in MB, shared pages counted once (Linux; 0 elsewhere)."""
    total, waiting = 0.0, [pid]
    while waiting:
        each = Path("/proc", str(waiting.pop()))
        try:
            rollup = (each / "smaps_rollup").read_text()
            children = [path.read_text() for path in (each / "task").glob("*/children")]
        except OSError:
            continue
        total += (
            next(
                (int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")), 0
            )
            / 1e3
        )
        waiting += [int(child) for text in children for child in text.split()]
    return total


def machine() -> dict[str, Any]:
    """What the numbers were measured on."""
    import platform
    from importlib.metadata import version

    packages = ("lifestage", "numpy", "scipy", "numba", "duckdb", "nutpie", "pandas", "pyarrow")
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "load": [round(each, 1) for each in os.getloadavg()],
        "packages": {name: version(name) for name in packages},
    }


def known_peers(names: list[str]) -> frozenset[str]:
    """The peers that are asked for.

    Raises
    ------
    SystemExit
        If one is unknown.
    """
    if strange := [name for name in names if name not in PEERS]:
        raise SystemExit(f"expected peers among {', '.join(PEERS)}; got {', '.join(strange)}")
    return frozenset(names)


def _brief(options: dict[str, Any]) -> str:
    return " ".join(
        f"{key}={Path(value).name if key == 'data' else value}" for key, value in options.items()
    )[:110]
