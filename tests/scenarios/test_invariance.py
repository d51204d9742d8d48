"""A customer's row is the same to the last byte, whoever else is scored: any subset, order, partition, engine, frame."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import lifestage as ls
from lifestage.lifecycle import STAGE_COLUMNS
from tests.lifecycle.tables import as_kind, to_pandas

KINDS = ("pandas", "polars", "pyarrow", "duckdb")
MODELS = {
    "point": {},
    "modified": {"purchases": "mbg/nbd"},
    "draws": {"method": "laplace", "draws": 20},
    "without money": {"spend": None},
}
"""One draw and many, either family, with money and without."""
FRAME = ["customer_id", "frequency", "recency", "T", "monetary_value", "first_purchase"]


def rows_of(table: Any) -> pd.DataFrame:
    """A scores table as the bits of its numbers and the texts of the rest, by customer."""
    frame = to_pandas(table).set_index("customer_id")
    bits = {}
    for name, column in frame.items():
        if str(name).startswith(("next_purchase", "observed", "first_purchase")):
            bits[name] = pd.to_datetime(column).astype("datetime64[s]").astype("int64")
        elif pd.api.types.is_bool_dtype(column):
            bits[name] = column.astype("int64")
        elif pd.api.types.is_numeric_dtype(column):
            values = column.to_numpy(float, na_value=np.nan)
            bits[name] = pd.Series(
                np.where(np.isnan(values), -1, values.view(np.int64)), column.index
            )
        else:
            bits[name] = column.astype(object).where(column.notna(), None).map(str)
    return pd.DataFrame(bits)


def scored(model: ls.LTVModel, part: Any) -> pd.DataFrame:
    return rows_of(ls.assign_stages(model.predict(part)))


@pytest.fixture(scope="module", params=MODELS)
def base(
    request: pytest.FixtureRequest, customers: ls.Summary
) -> tuple[ls.LTVModel, pd.DataFrame, pd.DataFrame]:
    """A model, its customers, and their rows when all are scored at once."""
    model = ls.fit(customers, **MODELS[request.param])
    return (
        model,
        customers.table[FRAME],
        scored(model, replace(customers, table=customers.table[FRAME])),
    )


def assert_same_rows(found: pd.DataFrame, whole: pd.DataFrame) -> None:
    expected = whole.loc[found.index, list(found.columns)]
    differ = found.columns[(found != expected).any()].tolist()
    assert not differ, f"{differ} differ"
    assert set(found.columns) == set(whole.columns)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_frame_gives_the_same_rows(base: Any, kind: str) -> None:
    model, table, whole = base
    for part in (table.sample(frac=1, random_state=3), table.iloc[::7], table.iloc[[2331]]):
        assert_same_rows(scored(model, as_kind(part, kind)), whole)


partitions = st.lists(st.integers(0, 2356), min_size=1, max_size=24, unique=True).flatmap(
    lambda rows: st.tuples(
        st.just(rows), st.sets(st.integers(1, max(1, len(rows) - 1)), max_size=3)
    )
)
"""Some customers in any order, and where they are cut apart."""


def parts_of(table: pd.DataFrame, partition: tuple[list[int], set[int]]) -> list[pd.DataFrame]:
    rows, cuts = partition
    ends = [0, *sorted(cuts), len(rows)]
    return [table.iloc[rows[begin:end]] for begin, end in pairwise(ends) if begin < end]


SETTINGS: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture],
}


@settings(max_examples=50, **SETTINGS)
@given(partitions)
def test_any_partition_gives_the_same_scores(
    base: Any, customers: ls.Summary, partition: tuple[list[int], set[int]]
) -> None:
    """Fifty partitions for each of the four models."""
    model, table, whole = base
    parts = [model.predict(replace(customers, table=part)) for part in parts_of(table, partition)]
    found = rows_of(pd.concat(parts))
    assert_same_rows(found, whole.drop(columns=list(STAGE_COLUMNS)))


def check_over_the_kinds(
    base: Any, partition: tuple[list[int], set[int]], kinds: list[str]
) -> None:
    """The parts of a partition, each in a kind of frame, are scored and staged as the whole is."""
    model, table, whole = base
    parts = zip(parts_of(table, partition), kinds, strict=False)
    assert_same_rows(pd.concat([scored(model, as_kind(part, kind)) for part, kind in parts]), whole)


@settings(max_examples=4, **SETTINGS)
@given(partitions, st.lists(st.sampled_from(KINDS), min_size=4, max_size=4))
def test_any_partition_over_the_kinds_gives_the_same_stages(
    base: Any, partition: tuple[list[int], set[int]], kinds: list[str]
) -> None:
    check_over_the_kinds(base, partition, kinds)


@pytest.mark.slow
@settings(max_examples=50, **SETTINGS)  # of each of four models
@given(partitions, st.lists(st.sampled_from(KINDS), min_size=4, max_size=4))
def test_two_hundred_partitions_over_the_kinds(
    base: Any, partition: tuple[list[int], set[int]], kinds: list[str]
) -> None:
    check_over_the_kinds(base, partition, kinds)


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 200, 1000])
def test_the_whole_base_in_batches(base: Any, size: int) -> None:
    model, table, whole = base
    shuffled = table.sample(frac=1, random_state=size).iloc[: 60 * size]
    batches = [shuffled.iloc[at : at + size] for at in range(0, len(shuffled), size)]
    assert_same_rows(pd.concat([scored(model, batch) for batch in batches]), whole)
