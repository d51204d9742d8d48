"""Maximum likelihood of Pareto/NBD beside lifetimes' ParetoNBDFitter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.benchmarks.cases.mle import run_family
from tests.benchmarks.environments import LIFETIMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.harness import Bench
    from tests.benchmarks.results import Row


def run(bench: Bench) -> Iterator[Row]:
    yield from run_family(bench, "pareto/nbd", (LIFETIMES,), target=40.0)
