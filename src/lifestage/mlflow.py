"""A model in MLflow: a pyfunc with signature, example, parameters, metrics and model card.

Needs ``lifestage[mlflow]``. The functions are those that every MLflow flavour has.
"""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifestage import __version__
from lifestage.core.errors import ConfigError
from lifestage.core.names import CUSTOMER, KEYS, MONETARY
from lifestage.fitting.stage_facts import HIGH_VALUE
from lifestage.lifecycle.metrics.formulas import YEAR_DAYS
from lifestage.model import LTVModel, load
from lifestage.registry.model_card import markdown_table, model_card

if TYPE_CHECKING:
    import os

    import pandas as pd

    from lifestage.evaluate import Backtest

__all__ = ["load_model", "log_model", "save_model"]

PREDICT_PARAMS: dict[str, Any] = {
    "horizon": 52.0,
    "discount_rate": 0.10,
    "margin": 1.0,
    "level": 0.9,
    "calibrated": False,
    "high_value": HIGH_VALUE,
}
"""Params of a prediction and their defaults, as in :meth:`lifestage.LTVModel.predict`."""

LOGGED_MEASURES = (
    "mae",
    "rmse",
    "bias",
    "log_loss",
    "brier",
    "auc",
    "crps",
    "spend_crps",
    "coverage",
    "top_share",
)
"""Columns of a backtest that become metrics."""


def save_model(model: LTVModel, path: str | os.PathLike[str], **options: Any) -> Path:
    """Write *model* as an MLflow model into a new folder.

    Its pyfunc takes one row per customer, ``frequency``, ``recency``, ``T`` (periods of the model),
    for a spend model ``monetary_value``, and optionally ``customer_id``, and returns the scores of
    :meth:`lifestage.LTVModel.predict` in the same order; ``horizon``, ``discount_rate``,
    ``margin``, ``level``, ``calibrated`` and ``high_value`` are its params. No customer is in the
    folder: the example is made up.

    Parameters
    ----------
    model : LTVModel
    path : path
        A folder that does not exist yet.
    **options
        Options of ``mlflow.pyfunc.save_model``, such as ``metadata``.

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    ConfigError
        If MLflow is not installed.

    Examples
    --------
    >>> import lifestage as ls
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> ls.mlflow.save_model(ls.fit(customers), "ltv-model")  # doctest: +SKIP
    PosixPath('ltv-model')
    """
    with tempfile.TemporaryDirectory() as folder:
        _pyfunc().save_model(path, **_flavour(model, Path(folder)), **options)
    return Path(path)


def log_model(
    model: LTVModel,
    name: str = "ltv",
    *,
    backtest: Backtest | None = None,
    card: str | None = None,
    **options: Any,
) -> Any:
    """Log *model* into the active run, or one of its own, with its parameters, metrics and card.

    Parameters
    ----------
    model : LTVModel
    name : str
        Name of the logged model.
    backtest : Backtest, optional
        Its means over the origins become metrics, such as ``backtest_log_loss``.
    card : str, optional
        Markdown for ``card.md``; :func:`lifestage.registry.model_card.model_card` if left out.
    **options
        Options of ``mlflow.pyfunc.log_model``, such as ``registered_model_name``.

    Returns
    -------
    mlflow.models.model.ModelInfo
        Its ``model_uri`` is what :func:`load_model` takes.

    Raises
    ------
    ConfigError
        If MLflow is not installed, or the backtest is of another family.

    Examples
    --------
    >>> import lifestage as ls
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> info = ls.mlflow.log_model(ls.fit(customers))  # doctest: +SKIP
    >>> ls.mlflow.load_model(info.model_uri)  # doctest: +SKIP
    LTVModel(bg/nbd + gamma-gamma, mle, 2,357 customers until 1997-09-30)
    """
    pyfunc = _pyfunc()
    import mlflow

    metrics = {"customers": float(model.data.customers)} | _likelihoods(model)
    text = ""
    if backtest is not None:
        family = model.purchases.family
        rows = backtest.table[backtest.table["forecast"] == family]
        if rows.empty:
            raise ConfigError(
                f"expected a backtest of {family}; it is of {', '.join(backtest.grades)}"
            )
        for key in LOGGED_MEASURES:
            if rows[key].notna().any():
                metrics[f"backtest_{key}"] = float(rows[key].mean())
        text = f"{backtest}\n\n{markdown_table(backtest.table)}"
    params = {"period": str(model.period), "until": str(model.data.until), "lifestage": __version__}
    for part_name, part in model.parts.items():
        params |= {part_name: part.family, f"{part_name}_method": part.method}
    for row in model.params.itertuples():
        params[f"{row.family} {row.parameter}"] = f"{row.estimate:.8g}"
    own = mlflow.active_run() is None
    try:
        run = mlflow.start_run() if own else mlflow.active_run()
        assert run is not None
        mlflow.log_params(params)
        mlflow.log_metrics(metrics)
        mlflow.log_text(card or model_card(model, backtest=text), "card.md")
        with tempfile.TemporaryDirectory() as folder:
            return pyfunc.log_model(name=name, **_flavour(model, Path(folder)), **options)
    finally:
        if own:
            mlflow.end_run()


def load_model(uri: str) -> LTVModel:
    """Load the model itself back, not its pyfunc, from where MLflow keeps it.

    Parameters
    ----------
    uri : str
        A folder, ``runs:/…`` or ``models:/…``.

    Returns
    -------
    LTVModel
        The model as it was logged.

    Raises
    ------
    ConfigError
        If MLflow is not installed.
    RegistryError
        If the model cannot be read.

    Examples
    --------
    >>> import lifestage as ls
    >>> ls.mlflow.load_model("models:/ltv/1")  # doctest: +SKIP
    LTVModel(bg/nbd + gamma-gamma, mle, 2,357 customers until 1997-09-30)
    """
    model: LTVModel = _pyfunc().load_model(uri).get_raw_model()
    return model


class _Scorer:
    """The pyfunc that MLflow calls."""

    def __init__(self, model: LTVModel) -> None:
        self.model = model

    def get_raw_model(self) -> LTVModel:
        return self.model

    def predict(self, data: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        if CUSTOMER not in data:
            data = data.assign(**{CUSTOMER: list(map(str, range(len(data))))})
        scores: pd.DataFrame = self.model.predict(data, **PREDICT_PARAMS | (params or {}))
        return scores


def _load_pyfunc(path: str) -> _Scorer:
    """Load the pyfunc; MLflow calls it with the folder of the model's data."""
    return _Scorer(load(path))


def _pyfunc() -> Any:
    try:
        import mlflow.pyfunc
    except ImportError:
        raise ConfigError("expected MLflow: install lifestage[mlflow]") from None
    return mlflow.pyfunc


def _flavour(model: LTVModel, folder: Path) -> dict[str, Any]:
    """Save a model into *folder* and return the arguments of ``mlflow.pyfunc`` for it."""
    from mlflow.models.signature import ModelSignature, infer_signature
    from mlflow.types.schema import AnyType, ColSpec, Schema

    example = _example(model)
    any_type: Any = AnyType
    kinds: dict[str, Any] = {CUSTOMER: any_type(), KEYS[0]: "long"}
    names = list(map(str, example))
    columns: list[Any] = [
        ColSpec(kinds.get(name, "double"), name, required=name != CUSTOMER) for name in names
    ]
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "Hint: Inferred schema contains integer"
        )  # a frequency is never missing
        inferred = infer_signature(example, _Scorer(model).predict(example), PREDICT_PARAMS)
    return {
        "loader_module": "lifestage.mlflow",
        "data_path": str(model.save(folder / "model")),
        "signature": ModelSignature(Schema(columns), inferred.outputs, inferred.params),
        "input_example": example,
        "pip_requirements": [f"lifestage=={__version__}"],
    }


def _example(model: LTVModel) -> pd.DataFrame:
    """Make up three customers."""
    import pandas as pd

    year = YEAR_DAYS / model.period.days
    columns: dict[str, Any] = {
        CUSTOMER: ["A", "B", "C"],
        "frequency": [0, 1, 6],
        "recency": [0.0, year / 4, 0.9 * year],
        "T": [year / 2, year, year],
    }
    if model.spend is not None:
        columns[MONETARY] = [0.0, model.mean_spend, 2 * model.mean_spend]
    return pd.DataFrame(columns)


def _likelihoods(model: LTVModel) -> dict[str, float]:
    return {f"{name}_log_likelihood": float(model.log_likelihood(name)) for name in model.parts}
