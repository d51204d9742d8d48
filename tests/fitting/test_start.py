"""A fit that begins at an earlier model: the same mode, sooner; and where that leads nowhere, the same mode too."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import lifestage as ls
from lifestage.core.errors import ConfigError
from lifestage.families import family


def looked(
    monkeypatch: pytest.MonkeyPatch, customers: ls.Summary, purchases: str, **how: Any
) -> tuple[Any, int]:
    """Parameters, and how often the fit asked for the likelihood of purchases."""
    module, calls = family(purchases), []
    real = module.log_likelihood_with_hessian

    def counted(*args: Any) -> Any:
        calls.append(1)
        return real(*args)

    with monkeypatch.context() as patch:
        patch.setattr(module, "log_likelihood_with_hessian", counted)
        return ls.fit(customers, purchases=purchases, **how).params["estimate"], len(calls)


@pytest.mark.parametrize("purchases", ["bg/nbd", "mbg/nbd"])
def test_the_same_mode_sooner(
    purchases: str, cdnow: pd.DataFrame, customers: ls.Summary, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ls.fit(customers, purchases=purchases)
    later = ls.summarize(cdnow, until="1997-12-31", period="week")
    cold, many = looked(monkeypatch, later, purchases)
    warm, few = looked(monkeypatch, later, purchases, start=before)
    np.testing.assert_allclose(warm, cold, rtol=1e-5)
    assert few < 0.7 * many


@pytest.mark.parametrize("value", [1e-8, 1e8, np.nan])
def test_a_start_that_leads_nowhere_does_no_harm(
    value: float, customers: ls.Summary, model: ls.LTVModel
) -> None:
    far = {name: np.full(1, value) for name in model.purchases.draws}
    found = ls.fit(customers, start=replace(model, purchases=replace(model.purchases, draws=far)))
    assert found.converged
    np.testing.assert_allclose(found.params["estimate"], model.params["estimate"], rtol=1e-5)


def test_what_was_not_determined_is_no_start(customers: ls.Summary, model: ls.LTVModel) -> None:
    once = pd.DataFrame({"customer_id": range(500), "date": "2024-01-10", "amount": 5.0})
    once.loc[:400, "date"] = "2024-05-01"
    lost = ls.fit(ls.summarize(once, period="week"))
    assert lost.purchases.diagnostics["undetermined"]
    found = ls.fit(customers, start=lost)
    np.testing.assert_allclose(found.params["estimate"], model.params["estimate"], rtol=1e-5)


def test_another_family_or_period(
    cdnow: pd.DataFrame, customers: ls.Summary, model: ls.LTVModel
) -> None:
    other = ls.fit(customers, purchases="mbg/nbd")
    begun = ls.fit(customers, purchases="mbg/nbd", start=model)
    pd.testing.assert_frame_equal(begun.params.head(4), other.params.head(4))
    with pytest.raises(ConfigError, match="a start in periods of a day; got week"):
        ls.fit(ls.summarize(cdnow, until="1997-09-30", period="day"), start=model)
