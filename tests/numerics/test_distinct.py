"""Distinct rows, beside numpy's own, whatever the columns hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lifestage.numerics import distinct as module
from lifestage.numerics.distinct import coded, distinct

steps = st.sampled_from([1.0, 0.01, 1 / 7, 1 / 30.4375, 86400.0])
lattice = st.builds(
    lambda whole, step: whole * step,
    hnp.arrays(np.int64, st.integers(0, 40), elements=st.integers(0, 60)),
    steps,
)
anything = hnp.arrays(np.float64, st.integers(0, 40), elements=st.floats(0, 1e12))


@settings(deadline=None)  # the first call imports pandas
@given(st.one_of(lattice, anything))
def test_codes_stand_for_the_values_bit_by_bit_and_in_order(values: np.ndarray) -> None:
    column = coded(values)
    codes, table = column.codes(), column.table
    np.testing.assert_array_equal(table[codes], values)
    assert np.all(np.diff(table) > 0)


@given(st.one_of(lattice, anything), st.one_of(lattice, anything))
@pytest.mark.parametrize("bits", [63, 1])
def test_distinct_rows_are_those_of_numpy(bits: int, one: np.ndarray, other: np.ndarray) -> None:
    size = min(one.size, other.size)
    columns, values = (one[:size], other[:size]), np.arange(size, dtype=float)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MAX_BITS", bits)
        found = distinct(*columns, sums=[values])
        plain = distinct(*columns)
    rows, index, counts = np.unique(
        np.column_stack(columns), axis=0, return_inverse=True, return_counts=True
    )
    np.testing.assert_array_equal(np.column_stack(found.columns), rows)
    np.testing.assert_array_equal(found.weight, counts)
    np.testing.assert_array_equal(found.sums[0], np.bincount(index.ravel(), values, len(rows)))
    np.testing.assert_array_equal(plain.columns, found.columns)
    np.testing.assert_array_equal(plain.weight, found.weight)


def test_integers_of_any_size() -> None:
    large = np.array([2**40, 7, 2**40, 0])
    assert distinct(large, large).weight.tolist() == [1.0, 1.0, 2.0]


def test_the_table_of_fine_times_is_no_longer_than_the_column() -> None:
    minutes = np.random.default_rng(1).integers(0, 1_000_000, 5_000) / 10_080
    assert coded(minutes).table.size <= 5_000
    assert coded(np.arange(5_000) / 7).step == pytest.approx(1 / 7)
