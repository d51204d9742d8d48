"""lifestage: predictive customer lifetime value, from an order log to life-cycle stages and a report."""

from __future__ import annotations

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lifestage import evaluate as evaluate
    from lifestage import families as families
    from lifestage import lifecycle as lifecycle
    from lifestage import mlflow as mlflow
    from lifestage import plots as plots
    from lifestage.acquisition import new_customers as new_customers
    from lifestage.data import datasets as datasets
    from lifestage.data.compress import compress as compress
    from lifestage.data.sources import read_orders as read_orders
    from lifestage.data.summary import summarize as summarize
    from lifestage.evaluate import backtest as backtest
    from lifestage.evaluate import calibrate as calibrate
    from lifestage.evaluate import compare as compare
    from lifestage.evaluate import drift as drift
    from lifestage.lifecycle import assign_stages as assign_stages
    from lifestage.model import LTVModel as LTVModel
    from lifestage.model import fit as fit
    from lifestage.model import load as load
    from lifestage.pipeline import write_table as write_table
    from lifestage.report import write_report as write_report
    from lifestage.tables import Period as Period
    from lifestage.tables import Summary as Summary

__version__ = "0.1.0"

_HOME = {
    "ConfigError": "lifestage.errors",
    "DataError": "lifestage.errors",
    "FitError": "lifestage.errors",
    "LTVModel": "lifestage.model",
    "LifestageError": "lifestage.errors",
    "Period": "lifestage.tables",
    "RegistryError": "lifestage.errors",
    "Summary": "lifestage.tables",
    "assign_stages": "lifestage.lifecycle",
    "backtest": "lifestage.evaluate",
    "calibrate": "lifestage.evaluate",
    "compare": "lifestage.evaluate",
    "drift": "lifestage.evaluate",
    "compress": "lifestage.data.compress",
    "fit": "lifestage.model",
    "load": "lifestage.model",
    "new_customers": "lifestage.acquisition",
    "read_orders": "lifestage.data.sources",
    "summarize": "lifestage.data.summary",
    "write_report": "lifestage.report",
    "write_table": "lifestage.pipeline",
}
_MODULES = {
    "datasets": "lifestage.data.datasets",
    "evaluate": "lifestage.evaluate",
    "families": "lifestage.families",
    "lifecycle": "lifestage.lifecycle",
    "mlflow": "lifestage.mlflow",
    "plots": "lifestage.plots",
}

__all__ = ["__version__", *_MODULES, *_HOME]


logging.getLogger(__name__).addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    """Load a public name where it is first used, so that the import of the package costs next to nothing."""
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    if name in _MODULES:
        return import_module(_MODULES[name])
    raise AttributeError(f"module 'lifestage' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
