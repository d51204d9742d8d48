"""Records that hold arrays or tables are equal to themselves alone: comparing two never raises."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import re
from typing import Any

import pandas as pd
import pytest

import lifestage as ls
from lifestage.data.customers.compress import compress
from lifestage.evaluate import frequency_fit, holdout_fit, tracking


def records() -> dict[str, type]:
    """Every dataclass of the package by name."""
    paths = [module.name for module in pkgutil.walk_packages(ls.__path__, "lifestage.")]
    modules = [importlib.import_module(path) for path in paths if not path.endswith("spark")]
    classes = [
        value for module in modules for value in vars(module).values() if isinstance(value, type)
    ]
    return {
        cls.__name__: cls
        for cls in classes
        if dataclasses.is_dataclass(cls) and "lifestage" in cls.__module__
    }


def holders(found: dict[str, type]) -> set[str]:
    """Names of the records with an array, a table, or another such record in a field."""
    held = {"Floats", "NDArray", "DataFrame"}
    while True:
        pattern = re.compile(rf"\b({'|'.join(sorted(held))})\b|^Any$")
        grown = {
            n
            for n, cls in found.items()
            if any(pattern.search(str(f.type)) for f in dataclasses.fields(cls))
        }
        if grown <= held:
            return grown
        held |= grown


def test_records_of_arrays_are_compared_by_identity() -> None:
    found = records()
    names = holders(found)
    assert {
        "LTVModel",
        "Summary",
        "Posterior",
        "Counts",
        "Backtest",
        "Drift",
        "Comparison",
        "ValidationResult",
    } <= names
    assert not {"Note", "Period", "Status", "Terms"} & names
    assert [name for name in sorted(names) if found[name].__eq__ is not object.__eq__] == []


def test_two_models_and_their_parts_can_be_compared(customers: ls.Summary) -> None:
    one, two = ls.fit(customers), ls.fit(customers)
    pairs: list[tuple[Any, Any]] = [
        (one, two),
        (one.purchases, two.purchases),
        (one.data, two.data),
    ]
    for mine, other in pairs:
        assert mine == mine
        assert mine != other
        assert mine in [other, mine]
        assert len({mine, mine, other}) == 2


def test_comparisons_with_the_data_take_customers_in_every_form(
    model: ls.LTVModel, customers: ls.Summary
) -> None:
    for compared in (frequency_fit, holdout_fit):
        want = compared(model, compress(customers))
        for same in (customers, customers.table):
            pd.testing.assert_frame_equal(compared(model, same), want)
        with pytest.raises(ls.DataError):
            compared(model, "customers")


def test_what_is_no_model_or_no_customers_is_said_in_a_sentence(
    model: ls.LTVModel, customers: ls.Summary
) -> None:
    frame = customers.table
    for call in (
        lambda: ls.calibrate(model, frame),
        lambda: ls.compare(frame),
        lambda: ls.fit(frame),
        lambda: ls.compress(frame),
    ):
        with pytest.raises(ls.DataError, match=r"expected a Summary .*got DataFrame"):
            call()
    for every in (0, -7, 3.5, "week", None):
        with pytest.raises(ls.ConfigError, match="every must be a whole number of days"):
            tracking(model, every=every)
