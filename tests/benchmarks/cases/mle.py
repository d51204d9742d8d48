"""Maximum likelihood from the customer table, compression included, beside lifetimes and PyMC-Marketing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.benchmarks.environments import LIFETIMES, PYMC_MARKETING
from tests.benchmarks.harness import Bench, Run, alternate
from tests.benchmarks.results import Check, Row
from tests.benchmarks.simulate import write_customers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZES = (10_000, 100_000, 1_000_000)
TASKS = {LIFETIMES: "fit", PYMC_MARKETING: "mode"}
LARGEST = {LIFETIMES: 10_000_000, PYMC_MARKETING: 1_000_000}
"""Customers beyond which a peer is not run."""
SAME = 1e-6
TARGET_FROM = 1_000_000


def run(bench: Bench) -> Iterator[Row]:
    yield from run_family(bench, "bg/nbd", (LIFETIMES, PYMC_MARKETING), target=25.0)


def run_family(
    bench: Bench, family: str, peers: tuple[str, ...], *, target: float
) -> Iterator[Row]:
    """Fit one family at every size, beside those of *peers* that were asked for."""
    for number, size in enumerate(bench.sizes_or(SIZES)):
        data = write_customers(bench.data / f"customers-{size}.parquet", size)
        how = {"data": data, "purchases": family, "method": "mle"}
        first = bench.first("fit", **how) if number == 0 else None
        names = [name for name in bench.asked(*peers) if size <= LARGEST[name]]
        fits = [bench.peer(name, TASKS[name], data=data, **_family(name, family)) for name in names]
        ours_run, *theirs = alternate(bench, bench.ours("fit", **how), *fits)
        ours_run = replace(ours_run, first_seconds=first)
        likelihoods = compare(bench, data, family, ours_run, theirs)
        if not theirs:
            yield Row("mle", f"maximum likelihood of {family}", size, ours_run)
        for peer in theirs:
            mode = peer.name == PYMC_MARKETING
            what = "mode under its priors" if mode else f"maximum likelihood of {family}"
            row = Row(
                "mle",
                what,
                size,
                ours_run,
                peer,
                peer_series="MAP" if mode else "MLE",
            )
            fast = row.ratio is not None and size >= TARGET_FROM
            speed = (Check("ratio", row.ratio or 0.0, target, least=True),) if fast else ()
            yield replace(row, checks=(*speed, *likelihoods.get(peer.name, ())))


def _family(name: str, family: str) -> dict[str, str]:
    """The option of a peer that fits more than one family."""
    return {"family": family} if name == LIFETIMES else {}


def compare(
    bench: Bench, data: Path, family: str, ours: Run, theirs: list[Run]
) -> dict[str, tuple[Check, ...]]:
    """Relative differences of log-likelihoods: at the peer's estimates under ours, and at ours under the peer's."""
    there = [peer for peer in theirs if not (peer.missing or peer.stopped)]
    if ours.missing or ours.stopped or not there:
        return {}
    best = ours.result["log_likelihood"]
    estimates = {peer.name: peer.result["params"] for peer in there}
    values = bench.ours("log_likelihood", data=data, family=family, params=estimates)().result[
        "values"
    ]
    found = {
        name: (Check("log-likelihood differs by", abs(value / best - 1), SAME),)
        for name, value in values.items()
    }
    if LIFETIMES in found:
        value = bench.peer(
            LIFETIMES, "log_likelihood", data=data, family=family, params=ours.result["params"]
        )().result["value"]
        found[LIFETIMES] += (Check("lifetimes' at our estimates by", abs(value / best - 1), SAME),)
    return found
