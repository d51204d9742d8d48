"""What stands in a ready-made customer table comes back as it is, or is refused at the door."""

from __future__ import annotations

import warnings
from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import lifestage as ls
from lifestage.core.errors import ConfigError, DataError
from lifestage.core.terms import Terms
from lifestage.data.engines import frames as engine
from lifestage.lifecycle import group_totals, ltv_change
from lifestage.prediction.totals import totals

KINDS = ["pandas", "polars", "pyarrow", "duckdb"]


def on_engine(frame: pd.DataFrame, kind: str):
    """The frame as a table of another kind."""
    return duckdb.connect().from_df(frame) if kind == "duckdb" else engine.to_kind(frame, kind)


@pytest.fixture(scope="module")
def table(customers: ls.Summary) -> pd.DataFrame:
    """CDNOW customers as other packages hold them."""
    return customers.table[["customer_id", "frequency", "recency", "T", "monetary_value"]]


@pytest.fixture(scope="module")
def drawn(customers: ls.Summary) -> ls.LTVModel:
    """A model of several draws, which predicts by joins."""
    return ls.fit(customers, method="laplace", draws=4, seed=1)


@pytest.mark.parametrize("fitted", ["model", "drawn"])
def test_the_index_of_a_pandas_table_is_the_id_and_stays(fitted: str, table, request) -> None:
    model, table = request.getfixturevalue(fitted), table.head(300)
    expected = model.predict(table)
    indexed = table.set_index("customer_id").sample(frac=1, random_state=3)
    scores = model.predict(indexed)
    assert scores.index.equals(indexed.index)
    assert scores["customer_id"].tolist() == indexed.index.tolist()
    pd.testing.assert_frame_equal(
        scores.sort_values("customer_id", ignore_index=True),
        expected.sort_values("customer_id", ignore_index=True),
    )
    assert scores.groupby("customer_id")["ltv"].sum().size == len(table)
    assert len(ls.assign_stages(scores).merge(table, on="customer_id")) == len(table)
    named = model.predict(
        table.set_axis(pd.Index([f"row {i}" for i in range(len(table))], name="line"))
    )
    assert named.index.name == "line"
    assert named.index[5] == "row 5"
    assert named["customer_id"].tolist() == table["customer_id"].tolist()


def test_an_index_of_several_levels_needs_an_id(table) -> None:
    levels = table.assign(country="TW").set_index(["country", "customer_id"])
    assert (
        ls.Summary.from_frame(levels, period="week").table["customer_id"].tolist()
        == table["customer_id"].tolist()
    )
    with pytest.raises(DataError, match="index of one level; got the levels country, id"):
        ls.Summary.from_frame(levels.rename_axis(["country", "id"]), period="week")


@pytest.mark.parametrize("fitted", ["model", "drawn"])
@pytest.mark.parametrize("kind", KINDS)
def test_columns_of_ones_own_stay_and_can_be_grouped_by(
    kind: str, fitted: str, table, request
) -> None:
    model = request.getfixturevalue(fitted)
    own = table.assign(
        country=np.where(table["customer_id"] % 3 == 0, "TW", "JP"),
        vip=table["customer_id"] % 2 == 0,
    )
    scores = model.predict(on_engine(own, kind))
    back = engine.to_pandas(scores)
    if kind == "duckdb":  # the rows of the others stay in their order
        back = back.sort_values("customer_id")
    for name in ("customer_id", "country", "vip"):
        assert back[name].tolist() == own[name].tolist()
    by_country = group_totals(model, scores, "country").set_index("group")
    for name, part in back.groupby("country"):
        assert by_country.loc[name, "customers"] == len(part)
        assert by_country.loc[name, "ltv"] == pytest.approx(
            part["ltv"].sum(), rel=1e-3 if fitted == "drawn" else 1e-9
        )
    assert "country" in engine.columns(ls.assign_stages(scores))


@pytest.mark.parametrize("kind", KINDS)
def test_names_of_scores_are_taken(kind: str, table, model) -> None:
    own = on_engine(table.assign(level="gold", ltv=1.0), kind)
    with pytest.raises(
        DataError, match="without the columns level, ltv, which a prediction adds: drop or rename"
    ):
        model.predict(own)
    assert ls.fit(ls.Summary.from_frame(own, period="week")).params.equals(model.params)
    if kind != "pandas":  # where nothing is joined there is nothing to confuse
        with pytest.raises(DataError, match="without the columns _spend_0: rename"):
            model.predict(on_engine(table.assign(_spend_0=0.0), kind))
    halves = on_engine(table.assign(margin=0.5), kind)
    whole = model.predict(table)["ltv"].sum()
    assert engine.to_pandas(model.predict(halves, margin="margin"))["ltv"].sum() == pytest.approx(
        whole / 2
    )


@pytest.mark.parametrize("kind", KINDS)
def test_an_earlier_prediction_is_replaced_and_ones_own_columns_stay(
    kind: str, table, model
) -> None:
    once = model.predict(on_engine(table.assign(country="TW"), kind), horizon=26, margin=0.5)
    again, expected = (
        engine.to_pandas(each)
        for each in (model.predict(once), model.predict(on_engine(table, kind)))
    )
    again, expected = (
        each.sort_values("customer_id", ignore_index=True) for each in (again, expected)
    )
    assert again.pop("country").eq("TW").all()
    pd.testing.assert_frame_equal(again, expected)


def test_the_names_of_scores_are_all_known(model, customers) -> None:
    from lifestage.prediction.score_columns import SCORES

    dated, bare = (
        model.predict(customers),
        model.predict(customers.table[["customer_id", *NUMBERS]]),
    )
    assert set(SCORES) == {*dated.columns, *bare.columns} - set(customers.table.columns)


@pytest.mark.parametrize("kind", KINDS)
def test_an_id_stands_once(kind: str, table) -> None:
    few = table.head(40).assign(customer_id=[str(i) for i in range(40)])
    for wrong, words in (
        (
            few.assign(customer_id=["a", *few["customer_id"][1:-1], "a"]),
            "one row per customer_id.*1 rows too many.*'a'",
        ),
        (pd.concat([few, few]), "one row per customer_id.*40 rows too many"),
        (
            few.assign(customer_id=["a", None, *few["customer_id"][2:]]),
            "a customer_id in every row; got 1 rows",
        ),
        (
            few.assign(customer_id=pd.Series([None] * 40, dtype="str")),
            "a customer_id in every row; got 40 rows",
        ),
    ):
        with pytest.raises(DataError, match=words):
            ls.Summary.from_frame(on_engine(wrong, kind), period="week")


def test_an_index_stands_once_where_it_is_the_id(table) -> None:
    bare = table.drop(columns="customer_id").head(30)
    with pytest.raises(DataError, match=r"index of a pandas table.*30 rows too many"):
        ls.Summary.from_frame(pd.concat([bare, bare]), period="week")
    assert (
        ls.Summary.from_frame(pd.concat([bare, bare], ignore_index=True), period="week").customers
        == 60
    )
    assert (
        ls.Summary.from_frame(
            pd.concat([bare, bare]).assign(customer_id=range(60)), period="week"
        ).customers
        == 60
    )
    with pytest.raises(DataError, match="numbers or text in customer_id"):
        ls.Summary.from_frame(bare.assign(customer_id=[[i] for i in range(30)]), period="week")


# Weights


@pytest.fixture(scope="module")
def histories(table) -> pd.DataFrame:
    """Distinct histories and spends, and how many customers have each."""
    names = ["frequency", "recency", "T", "monetary_value"]
    return table.groupby(names, as_index=False).size().rename(columns={"size": "n"})


@pytest.mark.parametrize("kind", KINDS)
def test_weights_give_the_fit_of_all_customers(kind: str, table, histories) -> None:
    assert len(histories) < 0.9 * len(table)
    summary = ls.Summary.from_frame(on_engine(histories, kind), period="week", weights="n")
    whole = ls.Summary.from_frame(table, period="week")
    assert (summary.customers, summary.repeaters, summary.orders) == (2357, 946, whole.orders)
    assert summary.stage_window == whole.stage_window == 65.5
    counts, expected = ls.compress(summary), ls.compress(whole)
    for name in ("x", "t_x", "T", "weight", "spend_x", "spend_m", "spend_weight"):
        np.testing.assert_array_equal(getattr(counts, name), getattr(expected, name), err_msg=name)
    for name in ("monetary_sum", "monetary_sq_sum"):
        np.testing.assert_allclose(getattr(counts, name), getattr(expected, name), rtol=1e-12)
    fitted, of_all = ls.fit(summary), ls.fit(whole)
    for part in ("purchases", "spend"):
        estimate = fitted.parts[part].estimate
        assert estimate == pytest.approx(dict(of_all.parts[part].estimate), rel=1e-12)
        assert fitted.log_likelihood(part) == pytest.approx(of_all.log_likelihood(part), rel=1e-12)
    assert fitted.mean_spend == pytest.approx(of_all.mean_spend, rel=1e-12)
    assert fitted.log_likelihood() == pytest.approx(-9582.429, abs=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_sums_of_weighted_rows_are_those_of_all_customers(
    kind: str, table, histories, model
) -> None:
    summary = ls.Summary.from_frame(on_engine(histories, kind), period="week", weights="n")
    scores, expected = engine.to_pandas(model.predict(summary)), model.predict(table)
    assert len(scores) == len(histories)
    for name in ("ltv", "expected_purchases", "p_alive"):
        assert scores[name] @ scores["n"] == pytest.approx(expected[name].sum(), rel=1e-9)
    ours, theirs = (
        totals(model, ls.compress(each), Terms(52)) for each in (summary, whole_of(table))
    )
    np.testing.assert_allclose(
        ours[["estimate", "low", "high"]], theirs[["estimate", "low", "high"]], rtol=1e-9
    )
    half = on_engine(scores.assign(half=scores["frequency"] > 1), kind)
    grouped = group_totals(model, half, "half", weight="n").set_index("group")
    assert grouped.loc["total", "ltv"] == pytest.approx(expected["ltv"].sum(), rel=1e-9)


def whole_of(table: pd.DataFrame) -> ls.Summary:
    return ls.Summary.from_frame(table, period="week")


@pytest.mark.parametrize("kind", KINDS)
def test_weights_are_whole_and_named(kind: str, histories) -> None:
    few = histories.head(20)
    for value in (0, 1.5, -1, np.nan, np.inf):
        wrong = few.assign(n=few["n"].astype(float).where(few.index != 7, value))
        with pytest.raises(
            DataError,
            match=r"whole numbers of customers, at least 1, in n; got 1 other rows.*'n': ",
        ):
            ls.Summary.from_frame(on_engine(wrong, kind), period="week", weights="n")
    for name in ("weight", "weights"):
        renamed = on_engine(few.rename(columns={"n": name}), kind)
        with pytest.raises(
            DataError, match=rf"what the column {name} is.*weights='{name}'.*rename"
        ):
            ls.Summary.from_frame(renamed, period="week")
        assert (
            ls.Summary.from_frame(renamed, period="week", weights=name).customers == few["n"].sum()
        )
    with pytest.raises(DataError, match="recency, T and size; size is missing"):
        ls.Summary.from_frame(on_engine(few, kind), period="week", weights="size")
    with pytest.raises(ConfigError, match="weights must name a column of counts; got 'frequency'"):
        ls.Summary.from_frame(on_engine(few, kind), period="week", weights="frequency")


def test_a_change_of_ltv_follows_customers(table, histories, model) -> None:
    rows = ls.Summary.from_frame(histories, period="week", until="1997-09-30", weights="n")
    whole = ls.Summary.from_frame(table, period="week", until="1997-09-30")
    for pair in ((rows, whole), (whole, rows)):
        with pytest.raises(DataError, match=r"one row per customer.*got weighted rows"):
            ltv_change(model, pair[0], model, pair[1])


# Money


@pytest.mark.parametrize("kind", KINDS)
def test_no_money_under_a_model_of_spend_is_refused_everywhere(
    kind: str, table, model, drawn
) -> None:
    bare = on_engine(table.drop(columns="monetary_value"), kind)
    summary = ls.Summary.from_frame(bare, period="week")
    assert "monetary_value" not in engine.columns(summary.table)
    without = ls.fit(summary)
    assert without.spend is None
    assert without.purchases.estimate == pytest.approx(dict(model.purchases.estimate), rel=1e-12)
    scores = without.predict(summary)
    assert totals(without, ls.compress(summary), Terms(52))["quantity"].tolist() == ["purchases"]
    for verb in (
        lambda: model.predict(bare),
        lambda: drawn.predict(summary),
        lambda: drawn.predict_draws(summary),
        lambda: totals(model, ls.compress(summary), Terms(52)),
        lambda: group_totals(model, scores, "frequency"),
    ):
        with pytest.raises(
            DataError, match="expected the column monetary_value, for the model has a spend part"
        ):
            verb()


def test_a_log_without_amounts_has_no_money_either(cdnow, model) -> None:
    summary = ls.summarize(cdnow, amount=None, until="1997-09-30", period="week")
    assert "monetary_value" not in summary.table
    with pytest.raises(DataError, match="expected the column monetary_value"):
        model.predict(summary)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("nothing", [None, np.nan])
def test_the_mean_of_no_repeat_purchase_is_zero(kind: str, nothing, table) -> None:
    money = table["monetary_value"].astype(object).where(table["frequency"] > 0, nothing)
    if kind != "pandas" or nothing is not None:
        money = money.astype(float)
    frame = on_engine(table.assign(monetary_value=money), kind)
    if nothing is None and kind == "polars":
        frame = frame.with_columns(pl.col("monetary_value").fill_nan(None))
    back = engine.to_pandas(ls.Summary.from_frame(frame, period="week").table)
    np.testing.assert_array_equal(back["monetary_value"], table["monetary_value"])
    lost = table.assign(
        monetary_value=table["monetary_value"].where(table["customer_id"] != 1, np.nan)
    )
    assert table.set_index("customer_id").loc[1, "frequency"] > 0
    with pytest.raises(
        DataError, match=r"finite numbers in .*monetary_value; got 1 other rows.*'customer_id': 1,"
    ):
        ls.Summary.from_frame(on_engine(lost, kind), period="week")


# Types


NUMBERS = ["frequency", "recency", "T", "monetary_value"]


@pytest.mark.parametrize(
    "cast",
    [
        lambda column: column.map(lambda value: Decimal(repr(value))),
        lambda column: column.astype(object),
        lambda column: column.convert_dtypes(),
        lambda column: column.convert_dtypes(dtype_backend="pyarrow"),
        lambda column: pd.Series(pd.arrays.SparseArray(column), index=column.index),
        lambda column: column.map(lambda value: Decimal(repr(value)) if value else 0),
    ],
    ids=["decimal", "object", "nullable", "arrow", "sparse", "decimals and ints"],
)
def test_numbers_of_any_type_are_numbers(cast, table, model) -> None:
    other = table.assign(**{name: cast(table[name]) for name in NUMBERS})
    pd.testing.assert_frame_equal(whole_of(other).table, whole_of(table).table)
    pd.testing.assert_frame_equal(model.predict(other), model.predict(table))


@pytest.mark.parametrize("kind", ["polars", "pyarrow", "duckdb"])
def test_decimals_of_engines_are_numbers(kind: str, table) -> None:
    cents = table.assign(monetary_value=table["monetary_value"].round(2))
    exact = pa.Table.from_pandas(cents, preserve_index=False)
    exact = exact.set_column(
        4, "monetary_value", exact["monetary_value"].cast(pa.decimal128(12, 2), safe=False)
    )
    native = {
        "pyarrow": exact,
        "polars": pl.from_arrow(exact),
        "duckdb": duckdb.connect().from_arrow(exact),
    }[kind]
    back = engine.to_pandas(ls.Summary.from_frame(native, period="week").table)
    np.testing.assert_allclose(back["monetary_value"], cents["monetary_value"], rtol=1e-12)


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize(
    "cast",
    [
        lambda column: column.astype(str),
        lambda column: column.astype(str).astype(object),
        lambda column: column.astype(str).astype("category"),
        lambda column: column > 0,
        lambda column: pd.Series(
            pd.period_range("2024-01", periods=len(column), freq="M"), index=column.index
        ),
        lambda column: pd.to_timedelta(column, unit="D"),
        lambda column: column.astype(complex),
        lambda column: column.map(lambda value: [value]),
    ],
    ids=["text", "text objects", "category", "bool", "period", "timedelta", "complex", "lists"],
)
def test_what_is_no_number_is_refused(name: str, cast, table) -> None:
    few = table.head(10)
    with pytest.raises(
        DataError, match=f"expected numbers in the column {name}; got .*convert it first"
    ):
        whole_of(few.assign(**{name: cast(few[name])}))


@pytest.mark.parametrize("kind", ["polars", "pyarrow", "duckdb"])
def test_text_of_engines_is_refused(kind: str, table) -> None:
    with pytest.raises(DataError, match="expected numbers in the column T; got String"):
        ls.Summary.from_frame(
            on_engine(table.assign(T=table["T"].astype(str)), kind), period="week"
        )


@pytest.mark.parametrize("name", ["first_purchase", "last_purchase"])
def test_dates_are_dates(name: str, customers, model) -> None:
    table = customers.table
    expected = group_totals(model, model.predict(table))
    for cast in (
        lambda column: column.dt.date,
        lambda column: column.astype("datetime64[ns]"),
        lambda column: column.astype(pd.ArrowDtype(pa.date32())),
    ):
        scores = model.predict(table.assign(**{name: cast(table[name])}))
        pd.testing.assert_frame_equal(group_totals(model, scores), expected)
    for wrong in (table[name].dt.to_period("D"), table[name].dt.strftime("%d/%m/%Y"), 3.0):
        with pytest.raises(
            DataError, match=f"expected dates in the column {name}; got .*convert it first"
        ):
            model.predict(table.assign(**{name: wrong}))


def test_columns_of_types_of_ones_own_go_along(table, model) -> None:
    own = {
        "cohort": pd.period_range("1997-01", periods=3, freq="M").repeat(1000)[: len(table)],
        "band": pd.cut(table["T"], 3),
        "pieces": [Decimal("1.5")] * len(table),
        "tags": [["a"]] * len(table),
        7: "seven",
    }
    scores = model.predict(
        table.assign(**{str(name): value for name, value in own.items()}).rename(columns={"7": 7})
    )
    for name, value in own.items():
        pd.testing.assert_series_equal(
            scores[str(name)],
            pd.Series(value, index=table.index),
            check_names=False,
            check_dtype=False,
        )
    grouped = group_totals(model, ls.assign_stages(scores), "cohort")
    assert grouped["group"].tolist() == ["1997-01", "1997-02", "1997-03", "total"]


@pytest.mark.parametrize("kind", ["pandas", "pyarrow"])
def test_a_column_stands_once(kind: str, table) -> None:
    twice = pd.concat([table, table[["T"]], table[["frequency"]]], axis=1)
    native = (
        twice
        if kind == "pandas"
        else pa.Table.from_arrays([*twice.to_numpy().T], names=list(twice.columns))
    )
    with pytest.raises(DataError, match="every column once; got frequency, T more than once"):
        ls.Summary.from_frame(native, period="week")


def test_duckdb_tells_no_case_apart(table) -> None:
    rows = duckdb.connect().from_df(table).project('*, 1.0 as "t2"')
    assert ls.Summary.from_frame(rows, period="week").customers == 2357
    same = pl.from_pandas(table).with_columns(t=pl.lit(1.0))
    assert ls.Summary.from_frame(same, period="week").table["t"].to_list() == [1.0] * 2357


def test_relatives_of_arrow_tables(table) -> None:
    import pyarrow.dataset

    arrow = pa.Table.from_pandas(table, preserve_index=False)
    for each in (arrow.combine_chunks().to_batches()[0], pyarrow.dataset.dataset(arrow)):
        assert ls.Summary.from_frame(each, period="week").table.equals(
            ls.Summary.from_frame(arrow, period="week").table
        )
    for wrong, words in (
        (arrow.to_reader(), "more than once"),
        ([1], "a pandas, .* Spark table; got list"),
    ):
        with pytest.raises(DataError, match=words):
            ls.Summary.from_frame(wrong, period="week")


def test_a_lazy_frame_is_computed_once_and_without_a_warning(table, model) -> None:
    calls = []

    def counted(part: pl.DataFrame) -> pl.DataFrame:
        calls.append(len(part))
        return part

    lazy = pl.from_pandas(table).lazy().map_batches(counted)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = model.predict(lazy)
    assert calls == [2357]
    assert scores.equals(model.predict(pl.from_pandas(table)))
