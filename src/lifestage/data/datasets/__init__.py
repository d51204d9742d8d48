"""Data that ship with the package, or that it can make."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from lifestage.data.datasets.shop import simulate_shop

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["cdnow", "simulate_shop"]


def cdnow() -> pd.DataFrame:
    """Return the 1/10 sample of CDNOW, a music shop, January 1997 to June 1998.

    It has every purchase of 2,357 customers, all of whom bought for the first time in the first
    quarter of 1997. The usual split fits on the first 39 weeks (``until="1997-09-30"``) and holds
    out the other 39.

    Returns
    -------
    pandas.DataFrame
        6,919 order lines: ``customer_id`` (1 to 2357, the id within the sample), ``date``,
        ``quantity`` (CDs), ``amount`` (dollars, all CDs of the line together).

    References
    ----------
    Fader & Hardie, "CDNOW data set, 1/10 systematic sample", www.brucehardie.com.

    Examples
    --------
    >>> cdnow().shape
    (6919, 4)
    """
    import pandas as pd

    with files("lifestage.data").joinpath("files/cdnow_sample.csv.gz").open("rb") as file:
        lines = pd.read_csv(file, compression="gzip", dtype={"date": "str"})
    return lines.assign(date=pd.to_datetime(lines["date"], format="%Y%m%d"))
