"""Every line of a CSV file is counted: as many as Python's own reader finds, or a sentence that names the line."""

from __future__ import annotations

import csv
import gzip
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import lifestage as ls
from lifestage.core.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "customer_id,date,amount\n"
LINES = [f"{i % 50},2024-{i % 6 + 1:02d}-{i % 28 + 1:02d},10\n" for i in range(300)]


def lines_of(path: Path) -> int:
    with path.open(newline="") as file:
        return sum(bool(row) for row in csv.reader(file)) - 1


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "orders.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def head(n: int) -> str:
    return HEADER + "".join(LINES[:n])


TAIL = "".join(LINES[100:])


@pytest.mark.parametrize(
    ("text", "malformed"),
    [
        (head(300), []),
        (head(300).replace("\n", "\r\n"), []),
        (head(300).replace("\n", "\r"), []),
        (head(300).replace(",", ";"), []),
        (head(300).replace(",", "|"), []),
        ("\ufeff" + head(300), []),
        (head(300).rstrip("\n"), []),
        (head(100) + "\n\n" + TAIL, []),
        (head(100) + '"7\n8",2024-01-05,10\n' + TAIL, []),
        (head(100) + 'say "hi",2024-01-05,10\n' + TAIL, []),
        (head(100) + '"a,b",2024-01-05,10\n' + TAIL, []),
        (head(300) + "7,2024-01", ["line 302: 7,2024-01"]),
        (head(300) + '7,"2024-01', ['line 302: 7,"2024-01']),
        (head(100) + "7,2024-01-05\n" + TAIL, ["line 102: 7,2024-01-05"]),
        (
            head(100) + "7,2024-01-05,10,Table, oak\n" + TAIL,
            ["line 102: 7,2024-01-05,10,Table, oak"],
        ),
        (
            head(100) + "7,2024-01-05," + "9" * 3_000_000 + "\n" + TAIL,
            ["line 102: 7,2024-01-05," + "9" * 47],
        ),
    ],
)
def test_lines_are_those_of_python(text, malformed, tmp_path) -> None:
    csv.field_size_limit(10_000_000)
    path = write(tmp_path, text)
    quality = ls.summarize(path).quality
    assert quality.rows_read == lines_of(path)
    assert quality.dropped == ({"malformed_line": len(malformed)} if malformed else {})
    for said in malformed:
        note = quality.notes[0]
        assert note.code == "malformed_lines"
        assert said in note.text


def test_padding_with_zeros_is_one_malformed_line(tmp_path) -> None:
    quality = ls.summarize(write(tmp_path, head(300).encode() + b"\0" * 500)).quality
    assert (quality.rows_read, dict(quality.dropped)) == (301, {"malformed_line": 1})
    assert "line 302" in quality.notes[0].text


def test_a_second_header_of_more_columns_is_refused_with_its_line(tmp_path) -> None:
    wide = "".join(line.strip() + ",x\n" for line in [*LINES, *LINES[:153]])
    path = write(tmp_path, head(300) + "customer_id,date,amount,shop\n" + wide)
    with pytest.raises(
        DataError, match=r"3 columns.*454 of 754 lines.*line 302: customer_id,date,amount,shop"
    ):
        ls.read_orders(path)


def test_a_few_lines_of_a_second_header_are_counted(tmp_path) -> None:
    wide = "".join(line.strip() + ",x\n" for line in LINES[:99])
    path = write(tmp_path, head(300) + "customer_id,date,amount,shop\n" + wide)
    quality = ls.summarize(path).quality
    assert (quality.rows_read, quality.rows_used) == (lines_of(path), 300)
    assert dict(quality.dropped) == {"malformed_line": 100}


def test_the_ragged_file(tmp_path) -> None:
    text = "customer_id,date,amount,item\na,2024-01-06,10,Lamp\na,2024-03-05,10,Table, oak\nb,2024-06-05,10,Cup\n"
    quality = ls.summarize(write(tmp_path, text)).quality
    assert (quality.rows_read, quality.rows_used, dict(quality.dropped)) == (
        3,
        2,
        {"malformed_line": 1},
    )
    assert "line 3: a,2024-03-05,10,Table, oak" in quality.notes[0].text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            head(100) + '7,2024-01-05,"10\n' + TAIL,
            r"closing quotation mark; 'line 102: 7,2024-01-05,\"10'",
        ),
        (
            head(100).encode() + b"M\xfcller,2024-01-05,10\n" + TAIL.encode(),
            r"UTF-8; 'line 102: M.*ller.*iconv",
        ),
        (
            b"customer_id,date,amount,name\na,2024-01-06,10,M\xfcller\n",
            r"UTF-8; 'line 2: a,2024-01-06,10,M.*ller.*iconv",
        ),
        (
            head(100) + TAIL.replace("\n", "\r\n"),
            r"end alike; line 1 ends with '\\n' and line 102 with '\\r\\n'",
        ),
        (
            "# shop\n" + head(300),
            r"which the first line names; 301 of 301 lines are not.*line 2: customer_id",
        ),
    ],
)
def test_what_cannot_be_a_table_is_refused_with_the_line(text, says, tmp_path) -> None:
    with pytest.raises(DataError, match=says):
        ls.read_orders(write(tmp_path, text))


def test_names_that_repeat_are_told_apart(tmp_path) -> None:
    path = write(tmp_path, "customer_id,date,amount,Amount,\na,2024-01-05,1,2,\n")
    assert ls.read_orders(path).columns == [
        "customer_id",
        "date",
        "amount_1",
        "Amount_2",
        "column4",
    ]
    with pytest.raises(DataError, match=r"column 'amount' .*'amount_1', 'Amount_2'"):
        ls.summarize(path)


def test_files_of_different_columns_are_united_by_name(tmp_path) -> None:
    (tmp_path / "a.csv").write_text(head(200) + "7,8\n")
    other = "shop;amount;customer_id;date\n" + "x;5;99;2024-02-02\n" * 10 + "x;5\n"
    (tmp_path / "b.csv").write_text(other)
    with gzip.open(tmp_path / "c.csv.gz", "wt") as file:
        file.write(other)
    summary = ls.summarize(f"{tmp_path}/*.csv")
    assert (summary.quality.rows_read, dict(summary.quality.dropped)) == (
        212,
        {"malformed_line": 2},
    )
    assert all(name in summary.quality.notes[0].text for name in ("line 202", "line 12"))
    assert summary.table.df()["revenue"].sum() == 200 * 10 + 10 * 5
    assert (
        ls.read_orders(tmp_path / "c.csv.gz").fetchall()
        == ls.read_orders(tmp_path / "b.csv").fetchall()
    )


def test_a_query_of_the_lines_keeps_what_is_malformed(tmp_path) -> None:
    path = write(tmp_path, head(300) + "7,2024-01")
    few = ls.read_orders(path).filter("customer_id is null or customer_id <> '3'")
    assert ls.summarize(few).quality.dropped == {"malformed_line": 1}


@pytest.mark.parametrize("seed", range(3))
def test_random_damage_loses_no_line(seed, tmp_path) -> None:
    rng = np.random.default_rng(seed)
    lines = [*LINES]
    for place in rng.integers(0, 300, 20):
        lines[place] = rng.choice(
            ["1,2\n", "a,b,c,d\n", "x\n", ",,\n", '"a""b",2024-01-01,1\n', "1,2024-01-01,\n"]
        )
    path = write(tmp_path, HEADER + "".join(lines))
    quality = ls.summarize(path).quality
    assert quality.rows_read == lines_of(path) == quality.rows_used + sum(quality.dropped.values())
    wrong = sum(line.count(",") != 2 for line in lines)
    assert quality.dropped["malformed_line"] == wrong


def test_many_columns_cost_little(tmp_path) -> None:
    """The names are read from the file: it is not sniffed, which took seconds a pass."""
    log = ls.datasets.cdnow().head(500)
    wide = pd.DataFrame(
        np.zeros((500, 3000)), columns=[f"c{i}" for i in range(3000)], index=log.index
    )
    pd.concat([log, wide], axis=1).to_csv(tmp_path / "orders.csv", index=False)
    assert len(ls.read_orders(tmp_path / "orders.csv").columns) == 3004
    found = (
        ls.summarize(tmp_path / "orders.csv", stage_window=30)
        .table.df()
        .astype({"customer_id": int})
    )
    right = ls.summarize(log, stage_window=30).table
    found = found.sort_values("customer_id", ignore_index=True)
    pd.testing.assert_frame_equal(found, right, check_dtype=False)
