"""Simulated customers: our posteriors from the customer table, beside PyMC-Marketing's NUTS with its defaults."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.benchmarks.cases.posterior import agree
from tests.benchmarks.environments import PYMC_MARKETING, WITH_NUTPIE
from tests.benchmarks.harness import Bench, Run, alternate
from tests.benchmarks.results import Check, Row
from tests.benchmarks.simulate import write_customers

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZES = (10_000, 100_000, 1_000_000)
LARGEST = 100_000
"""Customers beyond which neither a peer nor our own sampler is run."""
TARGETS, TARGET_AT = {"laplace": 200.0, "nuts": 5.0}, 100_000
TASKS = {"laplace": "laplace, 1,000 draws", "nuts": "nuts, 4 × 1,000 draws"}
MEMORY_MB = 2_000.0


def run(bench: Bench) -> Iterator[Row]:
    for number, size in enumerate(bench.sizes_or(SIZES)):
        data = write_customers(bench.data / f"customers-{size}.parquet", size)
        methods = list(TASKS) if size <= LARGEST else ["laplace"]
        first = bench.first("fit", data=data, method="laplace") if number == 0 else None
        runs = alternate(
            bench, *(bench.ours("fit", data=data, method=method) for method in methods)
        )
        ours = dict(zip(methods, runs, strict=True))
        ours["laplace"] = replace(ours["laplace"], first_seconds=first)
        names = bench.asked(PYMC_MARKETING, WITH_NUTPIE)
        peers = [bench.peer(name, "nuts", data=data)() for name in names if size <= LARGEST]
        for peer in peers or [None]:
            for method, run in ours.items():
                row = Row(
                    "posterior-speed",
                    TASKS[method],
                    size,
                    run,
                    peer,
                    checks(method, run, peer, size),
                )
                yield replace(row, series=f"lifestage {method}", peer_series="NUTS")


def checks(method: str, ours: Run, peer: Run | None, size: int) -> tuple[Check, ...]:
    """Our speed at the size of the target, our memory over the data, and how far the posteriors are apart.

    The priors differ, so the distance is only told.
    """
    if ours.missing or ours.stopped:
        return ()
    found = (
        [Check("MB over the data", ours.peak_mb - ours.before_mb, MEMORY_MB)]
        if method == "laplace"
        else []
    )
    if peer is None or peer.missing:
        return tuple(found)
    least = TARGETS[method] if size == TARGET_AT else None
    ratio = peer.seconds / ours.seconds
    if "ess_bulk" in ours.result and not peer.stopped:
        worth = ours.result["ess_bulk"] * max(peer.result["mean_error"].values()) ** 2
        found.append(Check("ratio per effective draw", ratio * worth))
        found.append(Check("chains of the peer", peer.result["chains"]))
    return (Check("ratio", ratio, least, least=True), *found, *agree(ours, peer, limit=False))
