"""The table of output columns is what a staged table has, and what the documentation shows."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

import lifestage as ls
from lifestage.core.output_columns import (
    OUTPUT_COLUMNS,
    columns_of,
    docstring_list,
    markdown_rows,
)

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")


def always() -> list[str]:
    return [column.name for column in OUTPUT_COLUMNS if not column.optional]


def test_a_staged_table_has_these_columns_in_this_order() -> None:
    customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    staged = ls.assign_stages(ls.fit(customers).predict(customers))
    assert list(staged.columns) == always()


def test_optional_columns_are_there_under_their_condition() -> None:
    orders = ls.datasets.cdnow().assign(shop="here")
    customers = ls.summarize(orders, until="1997-09-30", period="week", channel="shop")
    model = ls.fit(customers)
    staged = ls.assign_stages(model.predict(customers), tiers="cumulative")
    undated = customers.table.drop(columns=["first_purchase", "last_purchase"])
    waits = model.predict(ls.Summary.from_frame(undated, period="week"))
    assert {*staged.columns, *waits.columns} == {column.name for column in OUTPUT_COLUMNS}


def test_each_column_is_described_once() -> None:
    names = [column.name for column in OUTPUT_COLUMNS]
    assert len(set(names)) == len(names)
    assert all(column.unit and column.meaning.endswith(".") for column in OUTPUT_COLUMNS)


def test_the_readme_shows_the_table() -> None:
    assert markdown_rows(OUTPUT_COLUMNS) in README


@pytest.mark.parametrize(("function", "step"), [(ls.LTVModel.predict, "predict")])
def test_docstrings_list_the_columns(function: object, step: str) -> None:
    text = inspect.cleandoc(function.__doc__ or "")
    assert docstring_list(columns_of(step), indent=4, width=92) in text
