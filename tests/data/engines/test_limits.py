"""A log larger than the memory that the engine is given."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest

import lifestage as ls
from lifestage.core.errors import ConfigError
from tests.benchmarks.simulate import write_orders


@pytest.mark.slow
def test_what_does_not_fit_is_spilled_and_nothing_changes(tmp_path: Path) -> None:
    log, spill = write_orders(tmp_path / "orders.parquet", 10_000_000), tmp_path / "spill"
    free = ls.summarize(log)
    largest, done = [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.01):
            with suppress(OSError):  # a file is gone before it is looked at
                largest[0] = max(largest[0], sum(file.stat().st_size for file in spill.rglob("*")))

    threading.Thread(target=watch, daemon=True).start()
    tight = ls.summarize(ls.read_orders(log, memory_limit="300MB", temp_directory=spill, threads=2))
    done.set()
    assert largest[0] > 10_000_000
    assert repr(tight) == repr(free)
    assert tight.quality == free.quality
    one, other = (
        each.table.df().sort_values("customer_id", ignore_index=True) for each in (tight, free)
    )
    pd.testing.assert_frame_equal(one, other, rtol=1e-9)


def test_a_limit_that_cannot_be_is_told() -> None:
    with pytest.raises(ConfigError, match="memory_limit is such as '4GB'"):
        ls.read_orders(Path(__file__), memory_limit="lots")
