"""A customer's scores are a function of the customer, bit by bit: whoever is scored with them, in whatever order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import lifestage as ls
from lifestage.core.names import KEYS
from lifestage.core.terms import Terms
from lifestage.prediction.purchase_scores import purchase_scores
from tests.purchase_families import MODULES, known_model, registered

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FAR = {
    "frequency": [0, 0, 1, 2, 3, 40, 400, 5000, 2000],
    "recency": [0.0, 0.0, 9000.0, 0.3, 2.5, 100 / 7, 70.0, 900.123, 10.0],
    "T": [0.0, 10_000.0, 10_000.0, 500 / 7, 10.01, 101 / 7, 71.0, 1000.0, 10_000.0],
    "monetary_value": [0.0, 0.0, 1e6, 1.0, 9.0, 20.0, 20.0, 3.0, 5.0],
}
"""Customers who are few or far: just come, long gone, with times between days, and with thousands of purchases."""

TERMS = (Terms(52), Terms(4.5, 0.0, level=0.5), Terms(150, 0.4, level=0.99))
ONE_PRICE = {"p": 1e6, "q": 1643.0, "v": 0.0198}

MODELS = (*MODULES, "one price", "draws", "pareto/nbd, draws", "one price, draws", "stack")


def jittered(draws: Mapping[str, Any], size: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    return {name: value * np.exp(0.1 * rng.standard_normal(size)) for name, value in draws.items()}


@pytest.fixture(scope="module", params=MODELS)
def scorer(
    request: pytest.FixtureRequest, customers: ls.Summary, model: ls.LTVModel
) -> Iterator[ls.LTVModel]:
    name, _, draws = request.param.partition(", ")
    if name in MODULES:
        with registered(name):
            yield known_model(model, name, draws=7 if draws else 1)
    else:
        yield of_case(request.param, customers, model)


def of_case(name: str, customers: ls.Summary, model: ls.LTVModel) -> ls.LTVModel:
    assert model.spend is not None
    if name == "stack":
        return ls.fit(customers, purchases="stack").thin(9)
    if name == "draws":
        parts = {
            part: replace(old, draws=jittered(old.draws, 7)) for part, old in model.parts.items()
        }
        return replace(model, **parts)  # type: ignore[arg-type]
    if name == "one price":
        return replace(
            model,
            spend=replace(model.spend, draws={k: np.array([v]) for k, v in ONE_PRICE.items()}),
        )
    spend = replace(model.spend, draws=jittered(ONE_PRICE, 5))
    return replace(
        model,
        purchases=replace(model.purchases, draws=jittered(model.purchases.draws, 5)),
        spend=spend,
    )


@pytest.fixture(scope="module")
def base(customers: ls.Summary) -> pd.DataFrame:
    """Eighty customers of CDNOW, some of them with equal histories, and the far ones."""
    some = customers.table[["customer_id", *KEYS, "monetary_value"]].iloc[:80]
    far = pd.DataFrame({"customer_id": -1 - np.arange(len(FAR["T"])), **FAR})
    return pd.concat([some, far], ignore_index=True)


@pytest.fixture(scope="module")
def whole(
    scorer: ls.LTVModel, customers: ls.Summary, base: pd.DataFrame
) -> list[tuple[pd.DataFrame, pd.DataFrame]]:
    return [both(scorer, customers, base, terms) for terms in TERMS]


def both(
    model: ls.LTVModel, customers: ls.Summary, rows: pd.DataFrame, terms: Terms
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What is said of histories, and of customers, by history and by customer."""
    keys = rows[list(KEYS)].drop_duplicates()
    scores = model.predict(
        replace(customers, table=rows),
        horizon=terms.horizon,
        discount_rate=terms.discount_rate,
        level=terms.level,
    )
    histories = purchase_scores(model, keys, terms, customers.stage_window)
    return histories.set_index(list(KEYS)), scores.set_index("customer_id")


def assert_same_bytes(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    assert list(found.columns) == list(expected.columns)
    expected = expected.loc[found.index]
    for name in found:
        assert found[name].to_numpy().tobytes() == expected[name].to_numpy().tobytes(), name


@settings(
    deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_row_has_the_same_bytes_in_any_part_of_any_order(
    scorer: ls.LTVModel,
    customers: ls.Summary,
    base: pd.DataFrame,
    whole: list[tuple[pd.DataFrame, pd.DataFrame]],
    data: st.DataObject,
) -> None:
    which = data.draw(st.integers(0, len(TERMS) - 1), "terms")
    order = np.array(data.draw(st.permutations(range(len(base))), "order"))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(base)), max_size=3), "cuts"))
    for part in np.split(order, cuts):
        if part.size:
            found = both(scorer, customers, base.iloc[part], TERMS[which])
            for got, expected in zip(found, whole[which], strict=True):
                assert_same_bytes(got, expected)


def test_a_row_alone_has_the_same_bytes(
    scorer: ls.LTVModel,
    customers: ls.Summary,
    base: pd.DataFrame,
    whole: list[tuple[pd.DataFrame, pd.DataFrame]],
) -> None:
    for place in (0, 5, *range(80, len(base))):
        found = both(scorer, customers, base.iloc[[place]], TERMS[0])
        for got, expected in zip(found, whole[0], strict=True):
            assert_same_bytes(got, expected)
