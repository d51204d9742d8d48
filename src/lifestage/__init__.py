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
    from lifestage.core.period import Period as Period
    from lifestage.data import datasets as datasets
    from lifestage.data.customers.compress import compress as compress
    from lifestage.data.customers.summarize import summarize as summarize
    from lifestage.data.customers.summary import Summary as Summary
    from lifestage.data.sources.files import read_orders as read_orders
    from lifestage.data.sources.write import write_table as write_table
    from lifestage.evaluate import backtest as backtest
    from lifestage.evaluate import calibrate as calibrate
    from lifestage.evaluate import compare as compare
    from lifestage.evaluate import drift as drift
    from lifestage.lifecycle import assign_stages as assign_stages
    from lifestage.model import LTVModel as LTVModel
    from lifestage.model import fit as fit
    from lifestage.model import load as load
    from lifestage.prediction.new_customers import new_customers as new_customers
    from lifestage.report import write_report as write_report

__version__ = "0.1.0"

_HOME = {
    "ConfigError": "lifestage.core.errors",
    "DataError": "lifestage.core.errors",
    "FitError": "lifestage.core.errors",
    "LTVModel": "lifestage.model",
    "LifestageError": "lifestage.core.errors",
    "Period": "lifestage.core.period",
    "RegistryError": "lifestage.core.errors",
    "Summary": "lifestage.data.customers.summary",
    "assign_stages": "lifestage.lifecycle",
    "backtest": "lifestage.evaluate",
    "calibrate": "lifestage.evaluate",
    "compare": "lifestage.evaluate",
    "drift": "lifestage.evaluate",
    "compress": "lifestage.data.customers.compress",
    "fit": "lifestage.model",
    "load": "lifestage.model",
    "new_customers": "lifestage.prediction.new_customers",
    "read_orders": "lifestage.data.sources.files",
    "summarize": "lifestage.data.customers.summarize",
    "write_report": "lifestage.report",
    "write_table": "lifestage.data.sources.write",
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
