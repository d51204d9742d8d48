"""The public names of the package: what type checkers see, and what ``__init__.py`` loads."""

from lifestage import evaluate as evaluate
from lifestage import families as families
from lifestage import lifecycle as lifecycle
from lifestage import mlflow as mlflow
from lifestage import plots as plots
from lifestage.core.errors import ConfigError as ConfigError
from lifestage.core.errors import DataError as DataError
from lifestage.core.errors import FitError as FitError
from lifestage.core.errors import LifestageError as LifestageError
from lifestage.core.errors import RegistryError as RegistryError
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

__version__: str
__all__: list[str]
