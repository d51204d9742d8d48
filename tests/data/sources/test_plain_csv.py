"""No text of a customer is a formula in a CSV file, wherever one is written; numbers stay numbers."""

from __future__ import annotations

import base64
import csv
import re
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import polars as pl
import pytest

import lifestage as ls
from lifestage.jobs.config import RunConfig
from lifestage.jobs.run import run

if TYPE_CHECKING:
    from pathlib import Path

FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1",
    "＋1",
    "－1",
    "＠1",
    "  =1",
    '=HYPERLINK("x")',
]


def cells(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("dtype", [object, "str", "category", "string[pyarrow]"])
def test_every_text_column_is_plain(tmp_path: Path, dtype: str) -> None:
    table = pd.DataFrame(
        {
            "customer_id": pd.Series(FORMULAS, dtype=dtype),
            "=note": pd.Series(FORMULAS[::-1], dtype=dtype),
        }
    )
    ls.write_table(table, tmp_path / "x.csv")
    head, *rows = cells(tmp_path / "x.csv")
    assert head == ["customer_id", "'=note"]
    assert rows == [
        [f"'{one}", f"'{other}"] for one, other in zip(FORMULAS, FORMULAS[::-1], strict=True)
    ]


def test_other_columns_are_as_they_were(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "n": [-1, 2],
            "x": [-1.5, np.nan],
            "money": [Decimal("-1.50"), Decimal("2.00")],
            "day": pd.to_datetime(["2024-01-01", "2024-01-02"]),
            "flag": [True, False],
            "text": ["shop-1", None],
            "mixed": [-1, "a"],
        },
        index=[7, 7],
    )
    ls.write_table(table, tmp_path / "x.csv")
    table.to_csv(tmp_path / "y.csv", index=False, lineterminator="\r\n")
    assert (tmp_path / "x.csv").read_bytes() == (tmp_path / "y.csv").read_bytes()
    ls.write_table(pl.DataFrame({"a": ["=1", None], "b": [-1, 2]}), tmp_path / "z.csv")
    assert cells(tmp_path / "z.csv")[1:] == [["'=1", "-1"], ["", "2"]]


def test_the_list_of_a_run_is_plain(tmp_path: Path, cdnow: pd.DataFrame) -> None:
    few = cdnow[cdnow["customer_id"] % 4 == 0]
    orders = few.assign(customer_id="＝cmd|" + few["customer_id"].astype(str))
    run(orders, tmp_path / "out", RunConfig(backtest=0))
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    found = re.search(r"data:text/csv;charset=utf-8;base64,([\w+/=]+)", page)
    assert found is not None
    rows = base64.b64decode(found[1]).decode("utf-8-sig").splitlines()
    assert len(rows) > 1
    assert all(row.startswith("'＝cmd|") for row in rows[1:])
