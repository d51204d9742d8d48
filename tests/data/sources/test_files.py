"""Where orders come from and results go: what is no file or no format is refused before any work; summaries travel."""

from __future__ import annotations

import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import lifestage as ls
from lifestage.cli import app
from lifestage.core.errors import ConfigError, DataError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def orders(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("orders") / "orders.parquet"
    ls.datasets.cdnow().to_parquet(path)
    return path


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_a_folder_and_a_device_are_refused(tmp_path) -> None:
    os.mkfifo(tmp_path / "orders.csv")
    with pytest.raises(DataError, match=r"orders\.csv is a pipe or a device"):
        ls.summarize(tmp_path / "orders.csv")
    with pytest.raises(DataError, match="is a pipe or a device"):
        ls.read_orders("/dev/null")
    with pytest.raises(DataError, match=r"is a folder: name its files, such as .*\*\.parquet"):
        ls.read_orders(tmp_path)


@pytest.mark.parametrize("name", ["scored.xlsx", "scored", "scored.csv.gz", "scored.json"])
def test_an_ending_that_says_no_format_is_refused_before_any_work(name, tmp_path) -> None:
    with pytest.raises(ConfigError, match=rf"expected a \.parquet, \.csv.*got {name}"):
        ls.write_table(pd.DataFrame({"a": [1]}), tmp_path / name)
    missing = str(tmp_path / "nowhere")
    for command in (
        ["predict", missing, "--model", missing, "--out"],
        ["run", missing, "--out", str(tmp_path / "out"), "--to"],
    ):
        result = CliRunner().invoke(app, [*command, str(tmp_path / name)])
        assert result.exit_code == 1
        assert name in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["t.parquet", "t.csv", "t.duckdb", "T.PQ"])
def test_endings_that_say_a_format(name, tmp_path) -> None:
    ls.write_table(pd.DataFrame({"a": [1, 2]}), tmp_path / name)
    start = (tmp_path / name).read_bytes()
    assert {
        "t.parquet": start[:4] == b"PAR1",
        "T.PQ": start[:4] == b"PAR1",
        "t.csv": start[:1] == b"a",
    }.get(name, b"DUCK" in start[:16])


def test_a_summary_of_a_file_can_be_pickled(orders) -> None:
    summary = ls.summarize(orders, until="1997-09-30")
    model = ls.fit(summary)
    back = pickle.loads(pickle.dumps(summary))
    assert repr(back) == repr(summary)
    theirs, ours = (each.predict(part) for each, part in ((model, summary), (model, back)))
    ours = ours.to_pandas().sort_values("customer_id", ignore_index=True)
    theirs = theirs.df().sort_values("customer_id", ignore_index=True)
    np.testing.assert_allclose(ours["ltv"], theirs["ltv"], rtol=1e-12)
    assert ours["customer_id"].tolist() == theirs["customer_id"].tolist()


def test_a_closed_connection_is_one_sentence(orders) -> None:
    connection = duckdb.connect()
    relation = connection.read_parquet(str(orders))
    summary = ls.summarize(relation)
    model = ls.fit(summary)
    connection.close()
    for call in (
        lambda: ls.summarize(relation),
        lambda: ls.fit(summary),
        lambda: model.predict(summary),
    ):
        with pytest.raises(DataError, match="open connection"):
            call()


def test_eight_threads_get_the_right_scores_or_a_sentence(orders) -> None:
    summary = ls.summarize(orders, until="1997-09-30")
    model = ls.fit(summary)
    right = model.predict(summary).df().sort_values("customer_id", ignore_index=True)

    def score(_: int) -> object:
        try:
            return model.predict(summary)
        except DataError as error:
            return str(error)

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(score, range(24)))
    for result in results:
        if isinstance(result, str):
            assert "read the orders again, once a thread" in result
        else:
            pd.testing.assert_frame_equal(
                result.df().sort_values("customer_id", ignore_index=True), right
            )
    # a table in this process serves them all
    local = ls.summarize(ls.datasets.cdnow(), until="1997-09-30")
    with ThreadPoolExecutor(8) as pool:
        for scores in pool.map(lambda _: model.predict(local), range(8)):
            pd.testing.assert_frame_equal(scores, model.predict(local))
