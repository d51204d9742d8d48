"""Silence moves everyone through the stages in order, and known people land where the definitions say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lifetimes import BetaGeoFitter, ModifiedBetaGeoFitter

import lifestage as ls

LINE = ["active", "drowsy", "half_asleep", "asleep"]
RANK = {stage: rank for rank, stage in enumerate(LINE)} | {"new": 0}
SILENCE = [0.0, 0.5, 2, 6, 12, 25, 60, 140, 300]
"""Weeks after the start."""

Known = tuple[ls.LTVModel, ls.Summary, pd.DataFrame]

PEERS = {"bg/nbd": BetaGeoFitter, "mbg/nbd": ModifiedBetaGeoFitter}


START = ["just after the last purchase", "the end of the observation"]


@pytest.fixture(
    scope="module", params=[(name, start) for name in sorted(PEERS) for start in START], ids=str
)
def silence(
    request: pytest.FixtureRequest, customers: ls.Summary
) -> tuple[str, list[pd.DataFrame]]:
    """CDNOW staged at one time observed after the other; recency and everything else held, nobody buys."""
    name, start = request.param
    table = customers.table
    model = ls.fit(customers, purchases=name, spend="gamma-gamma" if start == START[1] else None)
    begin = table["recency"] if start == START[0] else table["T"]
    history = []
    for weeks in SILENCE:
        frame = table[["customer_id", "frequency", "recency", "monetary_value"]].assign(
            T=begin + weeks
        )
        later = ls.Summary.from_frame(frame, period="week", stage_window=customers.stage_window)
        staged = (
            ls.assign_stages(model.predict(later, horizon=4)).set_index("customer_id").sort_index()
        )
        assert staged.index.tolist() == sorted(table["customer_id"])
        history.append(staged)
    return start, history


def test_silence_moves_everyone_forward_and_never_back(
    silence: tuple[str, list[pd.DataFrame]],
) -> None:
    start, history = silence
    line = np.array([staged["activity_stage"].map(RANK) for staged in history])
    retained = np.array([staged["activity_ratio"] for staged in history])
    first, last = history[0], history[-1]
    assert not np.isnan(line).any()
    assert (np.diff(line, axis=0) >= 0).all()
    assert (np.diff(retained, axis=0) < 0).all()
    assert ((retained > 0) & (retained <= 1)).all()
    assert set(np.unique(line)) == {0, 1, 2, 3}
    assert (last["activity_stage"] == "asleep").all()
    assert not last["at_risk"].any()
    if start == START[0]:
        np.testing.assert_allclose(retained[0], 1.0, rtol=1e-12)
        assert (first["activity_stage"] == np.where(first["frequency"] > 0, "active", "new")).all()
    for staged in history:
        once = staged["frequency"] == 0
        assert not (staged["activity_stage"][once] == "active").any()
        assert not (staged["activity_stage"][~once] == "new").any()


def test_the_other_taxonomies_follow_the_silence(silence: tuple[str, list[pd.DataFrame]]) -> None:
    _, history = silence
    for staged in history:
        asleep = staged["activity_ratio"] < 0.20
        assert set(staged["lifecycle_phase"][asleep]) <= {"engage"}
        assert set(staged["value_segment"][asleep]) <= {"cannot_lose", "about_to_lose"}
    lost = [(staged["value_segment"] == "about_to_lose").mean() for staged in history]
    assert (np.diff(lost) >= 0).all()
    assert lost[-1] > 0.8
    risk = np.array([staged["at_risk"] for staged in history])
    assert risk.any()
    assert (
        (np.diff(risk.astype(int), axis=0) == 1).sum(axis=0) <= 1
    ).all()  # nobody comes to be at risk twice


# Known people in a simulated base -------------------------------------------------------------------------------------

TODAY = pd.Timestamp("2024-12-31")
PEOPLE: dict[str, tuple[list[int], float]] = {
    "weekly, goes on": (list(range(3, 60 * 7, 7)), 30.0),
    "weekly, stopped half a year ago": (list(range(183, 183 + 52 * 7, 7)), 30.0),
    "first purchase yesterday": ([1], 30.0),
    "once, a year ago": ([365], 30.0),
    "wholesaler": (list(range(4, 500, 10)), 40_000.0),
    "frequent, gone quiet": (list(range(60, 60 + 12 * 21, 21)), 30.0),
    "frequent, quiet for longer": (list(range(85, 85 + 12 * 21, 21)), 30.0),
}
"""Days ago of each purchase, and the money of each."""


def simulated_orders(n: int, seed: int) -> pd.DataFrame:
    """Order lines of *n* people over two years: their own Poisson rate, a coin of dropout after each purchase."""
    rng = np.random.default_rng(seed)
    rate, chance = rng.gamma(1.2, 1 / 45.0, n), rng.beta(0.8, 3.0, n)
    price, born = rng.gamma(4.0, 8.0, n), rng.uniform(0, 730, n)
    rows = []
    for i in range(n):
        ago = born[i]
        while ago >= 0:
            rows.append((f"p{i}", int(ago), price[i] * rng.gamma(6.0, 1 / 6.0)))
            if rng.random() < chance[i]:
                break
            ago -= rng.exponential(1 / rate[i])
    return pd.DataFrame(rows, columns=["customer_id", "ago", "amount"])


@pytest.fixture(scope="module", params=sorted(PEERS))
def known(request: pytest.FixtureRequest) -> Known:
    people = [(name, ago, money) for name, (days, money) in PEOPLE.items() for ago in days]
    log = pd.concat(
        [simulated_orders(3000, 7), pd.DataFrame(people, columns=["customer_id", "ago", "amount"])]
    )
    orders = log.assign(date=TODAY - pd.to_timedelta(log["ago"], "D")).drop(columns="ago")
    summary = ls.summarize(orders, until=TODAY.date(), period="day")
    model = ls.fit(summary, purchases=request.param)
    assert model.converged
    return (
        model,
        summary,
        ls.assign_stages(model.predict(summary, horizon=365)).set_index("customer_id"),
    )


def peer_retained(
    model: ls.LTVModel, table: pd.DataFrame, window: float
) -> tuple[np.ndarray, np.ndarray]:
    """R and P(alive) in days from the formulas of lifetimes and of the negative binomial, not from the package."""
    params = {name: float(values[0]) for name, values in model.purchases.draws.items()}
    peer: Any = PEERS[model.purchases.family]()
    peer.params_ = params
    x, t_x, T = (table[name].to_numpy(float) for name in ("frequency", "recency", "T"))

    def within(observed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        alive = np.asarray(peer.conditional_probability_alive(x, t_x, observed), float)
        scale = params["alpha"] + observed
        return alive * (1 - (scale / (scale + window)) ** (params["r"] + x)), alive

    now, alive = within(T)
    return now / within(t_x)[0], alive


def test_retained_of_the_whole_base_agrees_with_the_peer(known: Known) -> None:
    model, summary, staged = known
    retained, alive = peer_retained(model, staged, summary.stage_window)
    np.testing.assert_allclose(staged["activity_ratio"], retained, rtol=1e-8)
    np.testing.assert_allclose(staged["p_alive"], alive, rtol=1e-8)


def test_every_stage_follows_from_the_definitions(known: Known) -> None:
    """The three taxonomies and both flags of the whole base, written out as the definitions read."""
    model, summary, staged = known
    retained, alive = peer_retained(model, staged, summary.stage_window)
    n = staged["frequency"].to_numpy() + 1
    value = n * staged["expected_spend"].to_numpy()
    high = value >= np.quantile(value, 0.8) * (1 - 1e-9)
    line, phase, segment, at_risk, cannot_lose = [], [], [], [], []
    for N, R, A, H, T in zip(n, retained, alive, high, staged["T"], strict=True):
        if R >= 0.70:
            line.append("new" if N == 1 else "active")
        else:
            line.append("drowsy" if R >= 0.45 else "half_asleep" if R >= 0.20 else "asleep")
        if N == 1 and R >= 0.70:
            phase.append("acquire")
        elif N == 1 or R < 0.20:
            phase.append("engage")
        else:
            phase.append("grow" if R >= 0.45 and H else "retain")
        if R >= 0.70:
            segment.append("recent" if N == 1 else "champion" if H else "loyal")
        elif R >= 0.45:
            segment.append("high_potential" if H or N >= 3 else "need_nurturing")
        elif H and N >= 2 and A >= 0.10:
            segment.append("cannot_lose")
        else:
            segment.append("at_risk" if R >= 0.20 else "about_to_lose")
        at_risk.append(N >= 3 and 0.20 <= R < 0.70 and T >= 7)
        cannot_lose.append(H and N >= 2 and R < 0.70 and A >= 0.10)
    # a value on a threshold to nine digits may fall on either side
    edges = np.abs(retained[:, None] - [0.20, 0.45, 0.70]).min(axis=1) < 1e-9
    for name, expected in (
        ("activity_stage", line),
        ("lifecycle_phase", phase),
        ("value_segment", segment),
        ("at_risk", at_risk),
        ("cannot_lose", cannot_lose),
    ):
        assert staged[name][~edges].tolist() == np.array(expected)[~edges].tolist(), name
        assert len(set(expected)) >= 2


@pytest.mark.parametrize(
    ("person", "line", "phase", "segment", "at_risk"),
    [
        ("weekly, goes on", "active", "grow", "champion", False),
        ("weekly, stopped half a year ago", "asleep", "engage", "about_to_lose", False),
        ("first purchase yesterday", "new", "acquire", "recent", False),
        ("once, a year ago", "asleep", "engage", "about_to_lose", False),
        ("wholesaler", "active", "grow", "champion", False),
        ("frequent, gone quiet", "drowsy", "grow", "high_potential", True),
        ("frequent, quiet for longer", "half_asleep", "retain", "cannot_lose", True),
    ],
)
def test_known_people_land_where_the_definitions_say(
    person: str, line: str, phase: str, segment: str, at_risk: bool, known: Known
) -> None:
    model, summary, staged = known
    row = staged.loc[person]
    days, money = PEOPLE[person]
    assert row["frequency"] == len(days) - 1
    assert row["days_silent"] == pytest.approx(min(days))
    assert row["T"] == pytest.approx(max(days))
    assert row["revenue"] == pytest.approx(len(days) * money)
    assert (row["activity_stage"], row["lifecycle_phase"], row["value_segment"]) == (
        line,
        phase,
        segment,
    )
    assert (bool(row["at_risk"]), bool(row["cannot_lose"])) == (at_risk, at_risk)
    retained, alive = peer_retained(model, staged.loc[[person]], summary.stage_window)
    assert row["activity_ratio"] == pytest.approx(retained[0], rel=1e-8)
    if not at_risk:
        assert pd.isna(row["at_risk_reason"])
        return
    assert 0.20 <= retained[0] < 0.70
    assert alive[0] >= 0.10
    assert row["value_lost"] > 0
    window = round(summary.stage_window)
    said = f"bought 12 times about every 21 days; silent for {min(days)} days; chance of buying within {window} days fell"
    assert row["at_risk_reason"].startswith(said)


def test_the_wholesaler_is_announced(known: Known) -> None:
    _, summary, staged = known
    share = staged["revenue"]["wholesaler"] / staged["revenue"].sum()
    assert share > 0.5
    assert summary.quality is not None
    note = next(note for note in summary.quality.notes if note.code == "wholesaler")
    assert note.values["share"] == pytest.approx(share)
    assert staged["ltv"].idxmax() == "wholesaler"


@pytest.mark.parametrize("period", ["day", "month"])
def test_younger_than_a_week_is_never_at_risk(period: str) -> None:
    """Three purchases in three days, then silence, under a window so short that a few days are long."""
    days = {"day": 1.0, "week": 7.0, "month": 30.4375, "year": 365.25}[period]
    observed = np.array([3, 4, 5, 6, 6.9, 7, 7.1, 8, 10, 14])
    frame = pd.DataFrame(
        {
            "customer_id": observed,
            "frequency": 2,
            "recency": 2 / days,
            "T": observed / days,
            "monetary_value": 20.0,
        }
    )
    summary = ls.Summary.from_frame(frame, period=period)
    fitted = eager(period)
    fitted = replace(fitted, data=replace(fitted.data, stage_window=1.0))
    staged = ls.assign_stages(fitted.predict(summary, horizon=30 / days)).set_index("customer_id")
    quiet = (staged["activity_ratio"] >= 0.20) & (staged["activity_ratio"] < 0.70)
    young = staged.index < 7
    assert quiet[young].any()
    assert quiet[~young].any()
    assert not staged["at_risk"][young].any()
    assert staged["at_risk"][~young].equals(quiet[~young])


def eager(period: str) -> ls.LTVModel:
    """A model of eager buyers who drop out fast, in any unit of time."""
    log = simulated_orders(400, 3)
    log["date"] = TODAY - pd.to_timedelta(log["ago"] // 4, "D")
    return ls.fit(ls.summarize(log, amount="amount", period=period))
