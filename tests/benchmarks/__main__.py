"""Speed and memory beside peers: ``uv run python -m tests.benchmarks --help``."""

from __future__ import annotations

import argparse
import time
from importlib import import_module
from pathlib import Path

from tests.benchmarks.environments import HOME, PEERS, Unavailable, versions
from tests.benchmarks.growth import draw
from tests.benchmarks.harness import Bench, known_peers, machine
from tests.benchmarks.results import Row, write

CASES = ("posterior", "posterior-speed", "mle", "mle-pareto", "predict", "corridor")


def main() -> None:
    """Run the cases that are asked for and write results.json, results.md, growth.svg and growth.png."""
    asked = _parser().parse_args()
    names = asked.names or list(CASES)
    if strange := [name for name in names if name not in CASES]:
        raise SystemExit(f"expected cases among {', '.join(CASES)}; got {', '.join(strange)}")
    sizes = tuple(int(size) for size in asked.sizes) if asked.sizes else None
    bench = Bench(sizes, known_peers(asked.peers), asked.limit_seconds, asked.repeats)
    facts = machine() | {"started": time.strftime("%Y-%m-%d %H:%M"), "peers": {}}
    rows: list[Row] = []
    for name in names:
        print(name, flush=True)
        for row in import_module(f"tests.benchmarks.cases.{name.replace('-', '_')}").run(bench):
            rows.append(row)
            facts["peers"] = _installed(rows)
            write(asked.out, rows, facts)
    for path in (
        asked.out / "results.json",
        asked.out / "results.md",
        *draw(asked.out / "results.json"),
    ):
        print(path)


def _installed(rows: list[Row]) -> dict[str, dict[str, str]]:
    """Versions of the peers that were run."""
    used = {
        row.peer.name for row in rows if row.peer is not None and not row.peer.missing
    } & PEERS.keys()
    found = {}
    for name in sorted(used):
        try:
            found[name] = versions(name)
        except Unavailable as reason:
            found[name] = {"unknown": str(reason)}
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"cases, all if left out: {', '.join(CASES)}")
    parser.add_argument(
        "--sizes", nargs="+", type=float, help="customers (corridor: order lines), as 1e5"
    )
    parser.add_argument(
        "--peers",
        nargs="*",
        default=list(PEERS),
        help=f"none or some of {', '.join(PEERS)}; all if left out",
    )
    parser.add_argument(
        "--limit-seconds",
        type=float,
        default=3000.0,
        help="after which a run is stopped (default 3000)",
    )
    parser.add_argument(
        "--repeats", type=int, default=3, help="of runs shorter than a minute (default 3)"
    )
    parser.add_argument("--out", type=Path, default=HOME / "results", help="folder of the results")
    return parser


if __name__ == "__main__":
    main()
