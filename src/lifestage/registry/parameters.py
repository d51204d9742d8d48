"""Parameters of two versions side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifestage.registry.champions import load_version

if TYPE_CHECKING:
    import os

    import pandas as pd

__all__ = ["diff"]


def diff(folder: str | os.PathLike[str], before: str, after: str) -> pd.DataFrame:
    """Compare the parameters of two versions.

    Parameters
    ----------
    folder : path
        The folder of a model.
    before, after : str
        Names of the versions.

    Returns
    -------
    pandas.DataFrame
        ``family``, ``parameter``; ``before``, ``before_low``, ``before_high`` and ``after`` … (95 %
        intervals); empty cells where a version has no such parameter. The last row counts the
        customers.

    Raises
    ------
    RegistryError
        As :func:`verify`.
    """
    import pandas as pd

    keys = ["family", "parameter"]
    tables = [_parameters(folder, before, "before"), _parameters(folder, after, "after")]
    order = pd.concat([table[keys] for table in tables]).drop_duplicates()
    # the row that counts the customers has no family and comes last
    order = pd.concat([order[order["family"] != ""], order[order["family"] == ""]])
    return order.merge(tables[0], how="left", on=keys).merge(tables[1], how="left", on=keys)


def _parameters(folder: str | os.PathLike[str], version: str, label: str) -> pd.DataFrame:
    import pandas as pd

    model = load_version(folder, version)
    size = {"family": "", "parameter": "customers", "estimate": float(model.data.customers)}
    columns = ["family", "parameter", "estimate", "low", "high"]
    table = pd.concat([model.params[columns], pd.DataFrame([size])], ignore_index=True)
    return table.rename(columns={"estimate": label, "low": f"{label}_low", "high": f"{label}_high"})
