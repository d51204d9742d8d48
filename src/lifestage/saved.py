"""What is written of a model beside its draws; and what a file of one may hold, checked once, when it is read."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from lifestage.data.facts import facts_to_json, note_to_json
from lifestage.errors import RegistryError
from lifestage.families import PURCHASES, SPEND, STACK, family

if TYPE_CHECKING:
    from lifestage.model import LTVModel

__all__ = ["SCHEMA", "model_to_json", "read_draws", "read_model_json"]

SCHEMA = 2
"""1 was without ``stage_facts``."""


def model_to_json(model: LTVModel) -> dict[str, Any]:
    """Everything of a model but its draws."""
    return {
        "schema": SCHEMA,
        "mean_spend": model.mean_spend,
        "calibration": None if model.calibration is None else asdict(model.calibration),
        "stage_facts": None if model.stage_facts is None else asdict(model.stage_facts),
        "data": facts_to_json(model.data),
        "parts": {
            name: {
                "family": part.family,
                "method": part.method,
                "converged": part.status.converged,
                "notes": [note_to_json(note) for note in part.status.notes],
                "covariance": None if part.covariance is None else part.covariance.tolist(),
                "diagnostics": dict(part.diagnostics),
                "priors": dict(part.priors),
            }
            for name, part in model.parts.items()
        },
    }


def read_model_json(folder: Path) -> dict[str, Any]:
    """The contents of ``model.json``, with every value within what it can be.

    Raises
    ------
    RegistryError
        If it cannot be read, was written by a newer version, or a value cannot be: its name and what it is.
    """
    try:
        raw = json.loads((folder / "model.json").read_text("utf-8"))
        schema = raw["schema"]
        if isinstance(schema, int) and schema > SCHEMA:
            raise RegistryError(f"{folder} was written by a newer version (schema {schema}, known: {SCHEMA})")
        _Model.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        name, given = ".".join(map(str, first["loc"])), repr(first["input"])
        raise RegistryError(f"{folder / 'model.json'}: {name}: {first['msg']}; got {given[:80]}") from None
    except (OSError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise RegistryError(f"expected a saved model in {folder}; could not read it: {error!s:.200}") from error
    return dict(raw)


def read_draws(file: Path, name: str) -> dict[str, NDArray[np.float64]]:
    """The draws of the parameters of a family.

    Raises
    ------
    RegistryError
        If the file cannot be read or has no draws, or a value cannot be: its name, its draw, and what it is.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(file)
        draws = {each: table.column(each).cast("double").to_numpy() for each in family(name).PARAMS}
    except (OSError, KeyError, TypeError, ValueError, pa.ArrowException) as error:
        raise RegistryError(
            f"expected draws of a saved model in {file}; could not read them: {error!s:.200}"
        ) from error
    if not table.num_rows:
        raise RegistryError(f"expected draws of {name} in {file}; it has none")
    for each, values in draws.items():
        choice = each == "first_dropout"  # which of two families a draw is of
        good = np.isin(values, (0, 1)) if choice else np.isfinite(values) & (values > 0)
        if not good.all():
            at = int(np.argmin(good))
            what = "0 or 1" if choice else "a finite number above 0"
            raise RegistryError(f"expected {each} of {name} as {what}; draw {at} of {file} has {values[at]:g}")
    return draws


def _iso_day(text: str) -> str:
    date.fromisoformat(text)
    return text


Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
Day = Annotated[str, AfterValidator(_iso_day)]


class _Strict(BaseModel):
    """Types as they were written, and names beside the known ones, which a later version of a schema may have."""

    model_config = ConfigDict(strict=True, extra="ignore")


class _Note(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    code: str
    text: str
    values: dict[str, Any]


class _Component(_Strict):
    family: str
    parameter: str
    estimate: Positive
    weight: Share


class _Diagnostics(_Strict):
    log_likelihood: Finite
    observations: Positive
    undetermined: list[str] = []
    units: list[Positive] = []
    chains: Annotated[int, Field(ge=1)] = 1
    weights: dict[str, Share] = {}
    components: list[_Component] = []


class _Part(_Strict):
    family: str
    method: Literal["mle", "map", "laplace", "nuts"]
    converged: bool
    notes: list[_Note]
    covariance: list[list[Finite]] | None
    diagnostics: _Diagnostics
    priors: dict[str, str]

    @model_validator(mode="after")
    def _fits_its_family(self) -> _Part:
        names = family(self.family).PARAMS if self.family in PURCHASES | SPEND | {STACK: None} else ()
        if not names:
            raise ValueError("expected a family that is known")
        if not set(self.diagnostics.undetermined) <= set(names):
            raise ValueError(f"expected undetermined parameters among {', '.join(names)}")
        units = self.diagnostics.units
        if self.family != STACK and units and len(units) != len(names):
            raise ValueError(f"expected a unit for each of {', '.join(names)}")
        if self.covariance is not None:
            spread = np.array(self.covariance)
            if spread.shape != (len(names), len(names)) or not np.allclose(spread, spread.T, rtol=1e-6):
                raise ValueError(f"expected a symmetric covariance of {', '.join(names)}")
            roots = np.linalg.eigvalsh(spread)
            if roots[0] < -1e-8 * max(roots[-1], 1e-300):
                raise ValueError("expected a covariance without negative variances")
        return self


class _Parts(_Strict):
    purchases: _Part
    spend: _Part = Field(default=None)  # type: ignore[assignment] # absent in a model without it, never null

    @model_validator(mode="after")
    def _are_in_their_places(self) -> _Parts:
        if self.purchases.family in SPEND or (self.spend is not None and self.spend.family not in SPEND):
            raise ValueError("expected a family of purchases and one of spend")
        return self


class _Quality(_Strict):
    rows_read: Count
    rows_used: Count
    dropped: dict[str, Count]
    merged: dict[str, Count]
    found: dict[str, Any]
    notes: list[_Note]


class _Calendar(_Strict):
    day: list[Day]
    new_customers: list[NotNegative]
    repeat_purchases: list[NotNegative]
    revenue: list[float | None] = []


class _Holdout(_Strict):
    frequency: list[NotNegative]
    customers: list[NotNegative]
    purchases: list[NotNegative]
    buyers: list[NotNegative]


class _Channels(_Strict):
    channel: list[Any]
    orders: list[NotNegative]
    revenue: list[float | None] = []


class _Data(_Strict):
    period: Annotated[str, Field(min_length=1)]
    period_days: Positive = 1.0
    until: Day | None
    stage_window: Positive
    customers: Annotated[int, Field(ge=1)]
    repeaters: Count
    orders: Count
    gaps: dict[Annotated[str, Field(pattern=r"^[0-9]{1,7}$")], Count]
    quality: _Quality | None
    holdout_end: Day | None
    calendar: _Calendar | None
    holdout: _Holdout | None
    channels: _Channels | None

    @model_validator(mode="after")
    def _adds_up(self) -> _Data:
        if self.repeaters > self.customers:
            raise ValueError("expected no more repeat buyers than customers")
        return self


class _StageFacts(_Strict):
    value_percentiles: Annotated[list[NotNegative], Field(min_length=99, max_length=99)]
    median_gap_days: Positive | None


class _Calibration(_Strict):
    kind: Literal["logit", "isotonic"]
    values: dict[str, Any]
    horizon: Positive
    learned: Day
    judged: Day
    before: Finite
    after: Finite
    difference: Finite
    low: Finite
    high: Finite
    helps: bool

    @model_validator(mode="after")
    def _is_a_map(self) -> _Calibration:
        given = {name: np.array(value, float) for name, value in self.values.items()}
        if self.kind == "logit":
            good = given.keys() == {"a", "b", "c"} and all(each.shape == () for each in given.values())
            good = good and bool(given["a"] >= 0 and given["b"] >= 0 and np.isfinite(given["c"]))
        else:
            p, q = given.get("p", np.array(0)), given.get("q", np.array(0))
            good = p.ndim == q.ndim == 1 and p.size == q.size > 0
            good = good and all(bool((each >= 0).all() and (each <= 1).all()) for each in (p, q))
            good = good and bool((np.diff(p) >= 0).all() and (np.diff(q) >= 0).all())
        if not good:
            raise ValueError("expected a map of probabilities that never falls")
        return self


class _Model(_Strict):
    schema_: Annotated[int, Field(alias="schema", ge=1)]
    mean_spend: float
    calibration: _Calibration | None = None
    stage_facts: _StageFacts | None = None
    data: _Data
    parts: _Parts

    @model_validator(mode="after")
    def _knows_its_money(self) -> _Model:
        if self.parts.spend is not None and not np.isfinite(self.mean_spend):
            raise ValueError("expected a finite mean_spend beside a model of spend")
        if self.stage_facts is not None and self.stage_facts.median_gap_days is None and self.data.repeaters:
            raise ValueError("expected stage_facts.median_gap_days where there are repeat buyers")
        return self
