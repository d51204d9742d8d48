from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifestage.core.errors import ConfigError, DataError
from lifestage.lifecycle import STAGE_COLUMNS, TAXONOMIES, Thresholds, assign_stages
from lifestage.lifecycle.stages.taxonomies import column_of
from tests.lifecycle.tables import KINDS, as_kind, random_scores, scores, to_pandas

BELOW = float(np.nextafter(0.70, 0)), float(np.nextafter(0.45, 0)), float(np.nextafter(0.20, 0))

# ---------------------------------------------------------------- the rules again, in plain Python, row by row


def high_values(table: pd.DataFrame) -> list[bool]:
    rows = zip(table.frequency, table.expected_spend, table.high_value_cut, strict=True)
    return [x == x and (x + 1) * spend >= cut * (1 - 1e-12) for x, spend, cut in rows]


def stages_of(
    x: float, r: float, alive: float, silent: float, gap: float, high: bool
) -> tuple[object, ...]:
    if x != x:
        return "prospect", "acquire", "prospect", False, False
    n = int(x) + 1
    if r >= 0.7:
        line = "new" if n == 1 else "active"
    else:
        line = "drowsy" if r >= 0.45 else "half_asleep" if r >= 0.2 else "asleep"
    if n == 1 and r >= 0.7:
        phase = "acquire"
    elif n == 1 or r < 0.2:
        phase = "engage"
    else:
        phase = "grow" if r >= 0.45 and high else "retain"
    if r >= 0.7:
        segment = "recent" if x == 0 else "champion" if high else "loyal"
    elif r >= 0.45:
        segment = "high_potential" if high or n >= 3 else "need_nurturing"
    elif high and x >= 1 and alive >= 0.1:
        segment = "cannot_lose"
    else:
        segment = "at_risk" if r >= 0.2 else "about_to_lose"
    observed = silent + (gap * x if x else 0)
    at_risk = n >= 3 and 0.2 <= r < 0.7 and observed >= 7 - 1e-6
    return line, phase, segment, at_risk, bool(high and x >= 1 and r < 0.7 and alive >= 0.1)


def expected_stages(table: pd.DataFrame) -> list[tuple[object, ...]]:
    columns = zip(
        table.frequency,
        table.activity_ratio,
        table.p_alive,
        table.days_silent,
        table.mean_gap_days,
        strict=True,
    )
    return [stages_of(*row, high) for row, high in zip(columns, high_values(table), strict=True)]


def found_stages(staged: object) -> list[tuple[object, ...]]:
    table = to_pandas(staged)
    return list(table[list(STAGE_COLUMNS[:5])].itertuples(index=False, name=None))


# ---------------------------------------------------------------- every row of the three tables, at its boundaries

CHEAP = {"spend": 1.0}
DEAR = {"spend": 1000.0}
ROWS = [
    # x, r, more                         line          phase      segment
    (0, 1.00, CHEAP, "new", "acquire", "recent"),
    (0, 0.70, CHEAP, "new", "acquire", "recent"),
    (0, BELOW[0], CHEAP, "drowsy", "engage", "need_nurturing"),
    (0, BELOW[0], DEAR, "drowsy", "engage", "high_potential"),
    (0, 0.45, CHEAP, "drowsy", "engage", "need_nurturing"),
    (0, BELOW[1], CHEAP, "half_asleep", "engage", "at_risk"),
    (0, BELOW[1], DEAR, "half_asleep", "engage", "at_risk"),
    (0, 0.20, CHEAP, "half_asleep", "engage", "at_risk"),
    (0, BELOW[2], CHEAP, "asleep", "engage", "about_to_lose"),
    (1, 1.00, CHEAP, "active", "retain", "loyal"),
    (1, 0.70, CHEAP, "active", "retain", "loyal"),
    (1, 0.70, DEAR, "active", "grow", "champion"),
    (1, BELOW[0], CHEAP, "drowsy", "retain", "need_nurturing"),
    (1, BELOW[0], DEAR, "drowsy", "grow", "high_potential"),
    (2, BELOW[0], CHEAP, "drowsy", "retain", "high_potential"),
    (1, 0.45, DEAR, "drowsy", "grow", "high_potential"),
    (1, BELOW[1], DEAR, "half_asleep", "retain", "cannot_lose"),
    (1, BELOW[1], DEAR | {"alive": 0.10}, "half_asleep", "retain", "cannot_lose"),
    (1, BELOW[1], DEAR | {"alive": 0.0999}, "half_asleep", "retain", "at_risk"),
    (5, BELOW[1], CHEAP, "half_asleep", "retain", "at_risk"),
    (5, 0.20, CHEAP, "half_asleep", "retain", "at_risk"),
    (5, BELOW[2], CHEAP, "asleep", "engage", "about_to_lose"),
    (5, BELOW[2], DEAR, "asleep", "engage", "cannot_lose"),
    (5, BELOW[2], DEAR | {"alive": 0.05}, "asleep", "engage", "about_to_lose"),
    (None, None, {}, "prospect", "acquire", "prospect"),
]
CROWD = [{"x": 0, "r": 1.0, "spend": 10.0}] * 200
"""Buyers that fix the threshold of high value at 10."""


@pytest.mark.parametrize("kind", KINDS)
def test_every_rule_at_its_boundaries(kind: str) -> None:
    table = scores(CROWD + [{"x": x, "r": r, **more} for x, r, more, *_ in ROWS])
    staged = to_pandas(assign_stages(as_kind(table, kind))).set_index("customer_id").sort_index()
    found = (
        staged[["activity_stage", "lifecycle_phase", "value_segment"]]
        .iloc[len(CROWD) :]
        .to_numpy()
        .tolist()
    )
    assert found == [list(row[3:]) for row in ROWS]


def test_rows_name_every_stage() -> None:
    for place, stages in enumerate(TAXONOMIES.values()):
        assert {row[3 + place] for row in ROWS} == {stage.key for stage in stages}


@pytest.mark.parametrize(
    ("silent", "x", "line"),
    [
        (20.0, 0, "drowsy"),
        (10.0, 0, "new"),
        (10.01, 0, "drowsy"),
        (30.0, 0, "half_asleep"),
        (30.01, 0, "asleep"),
        (40.0, 1, "active"),
        (40.01, 1, "drowsy"),
        (80.0, 1, "drowsy"),
        (80.01, 1, "half_asleep"),
        (120.0, 1, "half_asleep"),
        (120.01, 1, "asleep"),
        (None, None, "prospect"),
    ],
)
def test_nes_counts_silence_in_own_gaps(silent: float | None, x: int | None, line: str) -> None:
    base = [{"x": 2, "gap": 10.0}] * 3  # the median gap of the base is 10 days
    table = scores([*base, {"id": 99, "x": x, "r": 0.5, "gap": 40.0, "silent": silent}])
    assert assign_stages(table, line_rule="nes")["activity_stage"].iloc[-1] == line


def test_nes_needs_a_repeat_buyer() -> None:
    with pytest.raises(DataError, match=r"expected median_gap_days .* of whom some bought twice"):
        assign_stages(scores([{"x": 0}]), line_rule="nes")


def test_thresholds_move_the_cuts() -> None:
    limits = Thresholds(awake=0.9, drowsy=0.8, asleep=0.1, frequent=2)
    staged = assign_stages(scores([{"x": 1, "r": 0.85}, {"x": 0, "r": 0.15}]), thresholds=limits)
    assert staged["activity_stage"].tolist() == ["drowsy", "half_asleep"]
    assert staged["at_risk"].tolist() == [True, False]


@pytest.mark.parametrize(
    "wrong",
    [
        {"awake": 0.4},
        {"asleep": 0.0},
        {"awake": 1.1},
        {"high_value_cut": -2},
        {"alive": -0.1},
        {"frequent": 1},
        {"min_days": -1},
        {"gaps": (1, 1, 2)},
    ],
)
def test_thresholds_are_checked(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Thresholds(**wrong)  # type: ignore[arg-type]


# ---------------------------------------------------------------- every table, every kind

number = st.floats(0, 1, allow_subnormal=False)
cut = st.sampled_from([0.2, 0.45, 0.7, 1.0, *BELOW])
row = st.fixed_dictionaries(
    {
        "x": st.one_of(st.none(), st.integers(0, 5)),
        "r": st.one_of(number, cut),
        "alive": st.one_of(number, st.sampled_from([0.1, 0.0999999])),
        "spend": st.one_of(st.floats(0, 1e6), st.sampled_from([1.0, 10.0, 12.5])),
        "silent": st.sampled_from([0.0, 1.0, 6.0, 6.999, 7.0, 50.0]),
        "gap": st.sampled_from([1.0, 2.0, 7.0, 20.5]),
    }
)


@settings(max_examples=25, deadline=None)
@given(st.lists(row, min_size=1, max_size=60))
def test_exactly_one_stage_as_the_rules_say(rows: list[dict[str, float]]) -> None:
    table = scores(rows)
    staged = assign_stages(table)
    assert found_stages(staged) == expected_stages(table)
    for taxonomy, stages in TAXONOMIES.items():
        assert set(staged[column_of(taxonomy)]) <= {stage.key for stage in stages}


@pytest.mark.parametrize("kind", KINDS)
def test_same_answer_and_kind_whatever_goes_in(kind: str) -> None:
    table = random_scores(3, prospects=4)
    given_table = as_kind(table, kind)
    before = to_pandas(given_table).copy(deep=True)
    staged = assign_stages(given_table)
    assert type(staged) is type(given_table)
    pd.testing.assert_frame_equal(to_pandas(given_table), before)
    result = to_pandas(staged).sort_values("customer_id", ignore_index=True)
    assert list(result.columns) == [*table.columns, *STAGE_COLUMNS]
    assert found_stages(result) == expected_stages(table)
    reasons = to_pandas(assign_stages(table))["at_risk_reason"]
    assert result["at_risk_reason"].fillna("").tolist() == reasons.fillna("").tolist()
    assert (result["at_risk_reason"].notna() == result["at_risk"].astype(bool)).all()
    assert 0 < result["at_risk"].sum() < len(result)


@pytest.mark.parametrize("kind", KINDS)
def test_assigning_again_replaces_the_columns(kind: str) -> None:
    once = assign_stages(as_kind(random_scores(4), kind))
    twice = assign_stages(once)
    changed = assign_stages(once, thresholds=Thresholds(awake=0.99, drowsy=0.98, asleep=0.97))
    first, second, third = (
        to_pandas(t).sort_values("customer_id", ignore_index=True) for t in (once, twice, changed)
    )
    pd.testing.assert_frame_equal(first, second)
    assert list(third.columns) == list(first.columns)
    assert (third["activity_stage"] != first["activity_stage"]).any()


def test_kinds_of_the_test_are_the_kinds_meant() -> None:
    table = random_scores(1, size=3)
    kinds = [type(as_kind(table, kind)) for kind in KINDS]
    assert kinds == [pd.DataFrame, pl.DataFrame, pl.LazyFrame, pa.Table, duckdb.DuckDBPyRelation]


def test_without_a_spend_model_orders_alone_make_value() -> None:
    table = scores([{"x": 0}] * 8 + [{"x": 1, "spend": 1e6}, {"x": 4, "spend": 0.0}])
    staged = assign_stages(table.drop(columns=["expected_spend", "ltv", "value_lost"]))
    # N is 1 eight times, then 2 and 5: the 80th percentile lies between 1 and 2
    assert staged["value_segment"].tolist() == ["recent"] * 8 + ["champion"] * 2
    ranked = assign_stages(table)
    assert ranked["value_segment"].tolist()[8:] == ["champion", "loyal"]


@pytest.mark.parametrize("kind", KINDS)
def test_contacts_become_prospects_once(kind: str) -> None:
    table = scores([{"id": "a", "x": 0}, {"id": "b", "x": 2}])
    contacts = pd.DataFrame({"customer_id": ["b", "z", "z", "y"], "mail": ["", "", "", ""]})
    staged = to_pandas(assign_stages(as_kind(table, kind), contacts=as_kind(contacts, kind)))
    by_name = staged.set_index("customer_id")["activity_stage"].to_dict()
    assert len(staged) == 4
    assert by_name == {"a": "new", "b": "active", "y": "prospect", "z": "prospect"}
    assert list(staged.columns) == [*table.columns, *STAGE_COLUMNS]


def test_contacts_of_another_kind_are_refused() -> None:
    with pytest.raises(DataError, match="same kind"):
        assign_stages(scores([{"x": 0}]), contacts=pl.DataFrame({"customer_id": [5]}))


@given(x=st.integers(0, 6), alive=number, start=st.floats(0.5, 1.0))
@settings(max_examples=8, deadline=None)
def test_silence_moves_the_line_forward_only(x: int, alive: float, start: float) -> None:
    falling = np.linspace(start, 0.0, 60)
    line = assign_stages(scores([{"x": x, "r": float(r), "alive": alive} for r in falling]))[
        "activity_stage"
    ]
    order = ["new" if x == 0 else "active", "drowsy", "half_asleep", "asleep"]
    places = [order.index(key) for key in line]
    assert places == sorted(places)
    assert set(places) >= {1, 2, 3}


# ---------------------------------------------------------------- the door


@pytest.mark.parametrize(
    "name",
    ["customer_id", "frequency", "activity_ratio", "p_alive", "p_window", "stage_window_days"],
)
def test_missing_column_is_named(name: str) -> None:
    with pytest.raises(DataError, match=f"columns missing: {name};"):
        assign_stages(scores([{"x": 1}]).drop(columns=[name]))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("activity_ratio", 1.2),
        ("activity_ratio", -0.1),
        ("activity_ratio", None),
        ("p_alive", 1.01),
        ("p_alive", None),
        ("frequency", -1),
    ],
)
def test_impossible_rows_are_shown(kind: str, name: str, value: float | None) -> None:
    table = scores([{"id": "fine", "x": 1}, {"id": "odd", "x": 1}])
    table.loc[1, name] = value
    with pytest.raises(DataError, match=rf"{name} must be .*; 1 customers are not, first 'odd'"):
        assign_stages(as_kind(table, kind))


@pytest.mark.parametrize("kind", ["polars", "pyarrow", "duckdb"])
def test_nan_is_no_probability(kind: str) -> None:
    arrow = pa.Table.from_pandas(
        scores([{"id": "fine", "x": 1}, {"id": "odd", "x": 1}]), preserve_index=False
    )
    place = arrow.column_names.index("activity_ratio")
    arrow = arrow.set_column(
        place, "activity_ratio", pa.array([0.5, float("nan")], from_pandas=False)
    )
    table = {"polars": pl.from_arrow(arrow), "pyarrow": arrow, "duckdb": duckdb.from_arrow(arrow)}[
        kind
    ]
    with pytest.raises(DataError, match="'odd'"):
        assign_stages(table)


def test_options_are_checked() -> None:
    table = scores([{"x": 1}])
    with pytest.raises(ConfigError, match="line_rule"):
        assign_stages(table, line_rule="recency")
    with pytest.raises(ConfigError, match="lang"):
        assign_stages(table, lang="fr")
    with pytest.raises(DataError, match="expected a pandas"):
        assign_stages([1, 2])


def test_tier_is_added_when_asked() -> None:
    table = scores([{"x": 1, "ltv": 90.0}, {"x": 1, "ltv": 7.0}, {"x": 0, "ltv": 3.0}])
    assert "tier" not in assign_stages(table)
    assert assign_stages(table, tiers="cumulative")["tier"].tolist() == ["high", "mid", "budget"]
    money = {"method": "money", "cuts": (7, 4)}
    assert assign_stages(table, tiers=money)["tier"].tolist() == ["high", "high", "budget"]
