"""Models in MLflow, in a file store of their own: what is logged, what comes back, and what is not in it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import lifestage as ls
from lifestage.core.errors import ConfigError

mlflow = pytest.importorskip("mlflow")
pytest.importorskip("mlflow.pyfunc")

from lifestage import mlflow as flavour  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COLUMNS = ["customer_id", "frequency", "recency", "T", "monetary_value"]


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file store in a folder that is no project."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri((tmp_path / "runs").as_uri())
    yield tmp_path
    mlflow.set_tracking_uri(before)


def test_a_logged_model_scores_like_the_model(
    cdnow: pd.DataFrame, customers: ls.Summary, model: ls.LTVModel
) -> None:
    test = ls.backtest(
        cdnow, origins=["1997-09-30"], horizon=39, families=["bg/nbd"], period="week"
    )
    info = flavour.log_model(model, "shop", backtest=test)
    served = mlflow.pyfunc.load_model(info.model_uri)
    found = served.predict(customers.table[COLUMNS], params={"horizon": 26.0, "discount_rate": 0.0})
    expected = model.predict(customers, horizon=26, discount_rate=0.0)
    pd.testing.assert_frame_equal(found[["customer_id", "ltv"]], expected[["customer_id", "ltv"]])
    unnamed = served.predict(customers.table[COLUMNS[1:]])
    np.testing.assert_allclose(unnamed["ltv"], model.predict(customers)["ltv"])
    with pytest.raises(mlflow.exceptions.MlflowException, match="recency"):
        served.predict(customers.table[["frequency", "T"]])
    run = mlflow.get_run(info.run_id)
    assert run.data.params["purchases"] == "bg/nbd"
    assert float(run.data.params["bg/nbd r"]) == pytest.approx(model.purchases.estimate["r"])
    assert run.data.metrics["backtest_auc"] == pytest.approx(test.table.loc[0, "auc"])
    assert run.data.metrics["purchases_log_likelihood"] == pytest.approx(-9582.429, abs=1e-3)
    card = mlflow.artifacts.load_text(f"runs:/{info.run_id}/card.md")
    assert "better than the best baseline" in card
    assert mlflow.active_run() is None


def test_the_model_itself_comes_back(model: ls.LTVModel) -> None:
    with mlflow.start_run() as run:
        info = flavour.log_model(model, card="# mine")
        assert mlflow.active_run().info.run_id == run.info.run_id
    assert mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/card.md") == "# mine"
    back = flavour.load_model(info.model_uri)
    pd.testing.assert_frame_equal(back.params, model.params)
    assert back.data.until == model.data.until


def test_no_customer_and_no_pickle_is_in_it(store: Path, cdnow: pd.DataFrame) -> None:
    named = cdnow.assign(customer_id="SECRET-" + cdnow["customer_id"].astype(str))
    model = ls.fit(
        ls.summarize(named, period="week"),
        purchases="mbg/nbd",
        method="laplace",
        draws=100,
        spend=None,
    )
    folder = flavour.save_model(model, store / "saved")
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert not any(path.suffix in (".pkl", ".pickle") for path in files)
    assert not any(b"SECRET" in path.read_bytes() for path in files)
    again = mlflow.pyfunc.load_model(str(folder))
    row: dict[str, Any] = {"frequency": [3], "recency": [20.0], "T": [30.0]}
    assert 0 < again.predict(pd.DataFrame(row))["p_alive"].iloc[0] < 1
    assert "mbg/nbd" in repr(flavour.load_model(str(folder)))


def test_what_does_not_fit_together_is_refused(
    store: Path, cdnow: pd.DataFrame, model: ls.LTVModel
) -> None:
    test = ls.backtest(
        cdnow, origins=["1997-09-30"], horizon=13, families=["mbg/nbd"], spend=None, period="week"
    )
    with pytest.raises(ConfigError, match="a backtest of bg/nbd"):
        flavour.log_model(model, backtest=test)
    assert mlflow.active_run() is None
    flavour.save_model(model, store / "shop")
    (store / "shop" / "data" / "model" / "model.json").write_text("{")
    with pytest.raises(ls.RegistryError):
        flavour.load_model(str(store / "shop"))


def test_without_mlflow_it_is_said() -> None:
    code = (
        "import sys; sys.modules['mlflow'] = None\n"
        "import lifestage as ls\nfrom lifestage.mlflow import load_model\n"
        "try: load_model('x')\nexcept ls.ConfigError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "lifestage[mlflow]" in done.stdout
