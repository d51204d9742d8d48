"""A stored model is read only if each of its values can be: a wrong one is told by its name, none gives nonsense."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import lifestage as ls
from lifestage.core.errors import RegistryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REFERENCE = Path(__file__).parents[1] / "reference"


@pytest.fixture(scope="module")
def saved(model: ls.LTVModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return model.save(tmp_path_factory.mktemp("saved") / "model")


@pytest.fixture
def copy(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "model"))


DRAWS: list[tuple[str, str, Any, str]] = [
    (
        "purchases",
        "r",
        [-0.243],
        r"expected r of bg/nbd as a finite number above 0; draw 0 .* has -0\.243",
    ),
    ("purchases", "alpha", [0.0], "alpha .* has 0"),
    ("purchases", "a", [math.nan], "a of bg/nbd .* has nan"),
    ("purchases", "b", [math.inf], "b of bg/nbd .* has inf"),
    ("purchases", "r", pa.array([None], pa.float64()), "r of bg/nbd .* has nan"),
    ("purchases", "r", ["many"], "could not read them"),
    ("purchases", "r", [[0.2]], "could not read them"),
    ("spend", "q", [-3.7], "q of gamma-gamma .* has -3.7"),
    ("spend", "v", [math.nan], "v of gamma-gamma .* has nan"),
]


@pytest.mark.parametrize(("part", "name", "values", "said"), DRAWS)
def test_a_parameter_that_cannot_be_is_told(
    copy: Path, part: str, name: str, values: Any, said: str
) -> None:
    file = copy / f"{part}.parquet"
    table = pq.read_table(file)
    pq.write_table(table.set_column(table.column_names.index(name), name, pa.array(values)), file)
    with pytest.raises(RegistryError, match=said):
        ls.load(copy)


def test_draws_that_are_missing_are_told(copy: Path) -> None:
    file = copy / "purchases.parquet"
    table = pq.read_table(file)
    pq.write_table(table.slice(0, 0), file)
    with pytest.raises(RegistryError, match=r"expected draws of bg/nbd in .*; it has none"):
        ls.load(copy)
    pq.write_table(table.drop_columns("r"), file)
    with pytest.raises(RegistryError, match="could not read them"):
        ls.load(copy)
    file.write_bytes(b"PAR1")
    with pytest.raises(RegistryError, match="could not read them"):
        ls.load(copy)
    file.unlink()
    with pytest.raises(RegistryError, match="could not read them"):
        ls.load(copy)


def test_one_bad_draw_of_many_is_found(copy: Path, customers: ls.Summary) -> None:
    many = ls.fit(customers, purchases="stack", method="laplace", draws=50)
    many.save(copy)
    assert ls.load(copy).size == many.size
    for part, name, bad in (("spend", "p", -1.0), ("purchases", "mbg/nbd: r", -0.5)):
        table = pq.read_table(copy / f"{part}.parquet")
        values = table[name].to_numpy().copy()
        draw = int(np.flatnonzero(np.isfinite(values))[3])  # of the family whose parameter it is
        values[draw] = bad
        many.save(copy)
        pq.write_table(
            table.set_column(table.column_names.index(name), name, pa.array(values)),
            copy / f"{part}.parquet",
        )
        with pytest.raises(RegistryError, match=f"draw {draw} of .* has {bad:g}"):
            ls.load(copy)


def test_a_draw_of_two_families_or_none_is_found(copy: Path, customers: ls.Summary) -> None:
    stack = ls.fit(customers, purchases="stack", spend=None)
    for value in (0.3, math.nan):
        stack.save(copy)
        table = pq.read_table(copy / "purchases.parquet")
        name = "bg/nbd: r"
        values = table[name].to_numpy().copy()
        values[np.isnan(values) if value == value else ~np.isnan(values)] = value
        changed = table.set_column(table.column_names.index(name), name, pa.array(values))
        pq.write_table(changed, copy / "purchases.parquet")
        with pytest.raises(RegistryError, match="one family per draw of stack"):
            ls.load(copy)


def test_a_stack_of_schema_2_predicts_as_before(customers: ls.Summary) -> None:
    """Sums over customers that the version which wrote it gave."""
    old = ls.load(REFERENCE / "stack_schema_2")
    scores = old.predict(customers, horizon=26)
    assert scores["p_alive"].sum() == pytest.approx(1660.6380097015804, rel=1e-9)
    assert scores["expected_purchases"].sum() == pytest.approx(1172.317996503436, rel=1e-9)
    assert set(old.prior_predictive(50).columns) > set(old.purchases.draws)


VALUES: list[tuple[str, Any]] = [
    ("mean_spend", math.nan),
    ("mean_spend", "much"),
    ("schema", None),
    ("data.stage_window", -77.0),
    ("data.period", ""),
    ("data.period_days", 0.0),
    ("data.until", "soon"),
    ("data.customers", 0),
    ("data.repeaters", 10**9),
    ("data.gaps", {"x": 1}),
    ("data.gaps.1", -5),
    ("data.quality.rows_read", None),
    ("parts.purchases.family", "pareto"),
    ("parts.purchases.family", "gamma-gamma"),
    ("parts.purchases.method", "guess"),
    ("parts.purchases.converged", "yes"),
    ("parts.purchases.covariance", [[1.0]]),
    ("parts.purchases.covariance.0.0", math.nan),
    ("parts.purchases.covariance.0.0", -1.0),
    ("parts.purchases.covariance.0.1", 3.0),
    ("parts.purchases.notes", [{"code": "x"}]),
    ("parts.purchases.priors", {"r": 1}),
    ("parts.purchases.diagnostics.log_likelihood", None),
    ("parts.purchases.diagnostics.units", [1.0]),
    ("parts.purchases.diagnostics.undetermined", ["z"]),
    ("stage_facts.value_percentiles", [1.0]),
    ("stage_facts.median_gap_days", -1.0),
]


def put(raw: Any, path: str, value: Any) -> None:
    *way, last = path.split(".")
    for name in way:
        raw = raw[int(name) if isinstance(raw, list) else name]
    raw[int(last) if isinstance(raw, list) else last] = value


@pytest.mark.parametrize(("path", "value"), VALUES, ids=lambda each: repr(each)[:50])
def test_a_value_that_cannot_be_is_told_by_its_name(copy: Path, path: str, value: Any) -> None:
    raw = json.loads((copy / "model.json").read_text("utf-8"))
    put(raw, path, value)
    (copy / "model.json").write_text(json.dumps(raw), "utf-8")
    with pytest.raises(RegistryError, match=path.removesuffix(".0").split(".")[0]) as told:
        ls.load(copy)
    assert str(copy) in str(told.value)


@pytest.mark.parametrize(
    "text", ["[" * 200_000, '{"schema": 1, "data": ' + '{"a":' * 200_000, "null", "[]", "", "\0"]
)
def test_what_is_no_model_is_told(copy: Path, text: str) -> None:
    (copy / "model.json").write_text(text)
    with pytest.raises(RegistryError, match="expected a saved model"):
        ls.load(copy)


def leaves(raw: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """A path to every value; of a list or a long mapping, to the first one."""
    if path:
        yield ".".join(path)
    items = (
        list(raw.items())
        if isinstance(raw, dict)
        else list(enumerate(raw))
        if isinstance(raw, list)
        else []
    )
    for name, value in items[:1] if isinstance(raw, list) or "gaps" in path else items:
        yield from leaves(value, (*path, str(name)))


CHANGES: list[Callable[[], Any]] = [
    lambda: None,
    lambda: -1,
    lambda: math.nan,
    lambda: "x",
    list,
    dict,
]


@pytest.mark.slow
def test_no_changed_value_gives_other_predictions_in_silence(
    copy: Path, model: ls.LTVModel, customers: ls.Summary
) -> None:
    few = ls.Summary.from_frame(customers.table.head(5), period="week", until=customers.until)
    expected = model.predict(few, horizon=13)
    text = (copy / "model.json").read_text("utf-8")
    paths = list(leaves(json.loads(text)))
    refused = 0
    for path in paths:
        for change in CHANGES:
            raw = json.loads(text)
            put(raw, path, change())
            (copy / "model.json").write_text(json.dumps(raw), "utf-8")
            try:
                changed = ls.load(copy)
            except RegistryError:
                refused += 1
                continue
            assert changed.status
            assert np.isfinite(changed.params["estimate"]).all()
            kept = (
                path in MEANINGFUL
                or path.startswith(ABOUT_THE_LOG)
                or changed.predict(few, horizon=13).equals(expected)
            )
            assert kept, (path, change())
    assert refused > 4 * len(paths)


ABOUT_THE_LOG = ("data.quality", "data.calendar", "data.holdout")
"""What predictions do not look at."""

MEANINGFUL = {"data.period", "data.period_days", "data.stage_window", "stage_facts"}
"""What may be another number, or absent as in older files, and then means another model."""


def test_a_model_that_was_read_predicts_as_before(
    saved: Path, model: ls.LTVModel, customers: ls.Summary
) -> None:
    pd.testing.assert_frame_equal(ls.load(saved).predict(customers), model.predict(customers))
