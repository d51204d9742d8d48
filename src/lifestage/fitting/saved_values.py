"""What a file of a saved model may hold, value by value; checked once, when it is read."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from lifestage.families import FAMILIES, SPEND, STACK

__all__ = ["SavedModel"]


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
    """Types as they were written; further names, which a later version may have, are ignored."""

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
        if self.family == STACK:
            return self._fits_a_stack()
        modules = FAMILIES | SPEND
        if self.family not in modules:
            raise ValueError("expected a family that is known")
        names = modules[self.family].PARAMS
        if not set(self.diagnostics.undetermined) <= set(names):
            raise ValueError(f"expected undetermined parameters among {', '.join(names)}")
        units = self.diagnostics.units
        if units and len(units) != len(names):
            raise ValueError(f"expected a unit for each of {', '.join(names)}")
        if self.covariance is not None:
            spread = np.array(self.covariance)
            if spread.shape != (len(names), len(names)) or not np.allclose(
                spread, spread.T, rtol=1e-6
            ):
                raise ValueError(f"expected a symmetric covariance of {', '.join(names)}")
            roots = np.linalg.eigvalsh(spread)
            if roots[0] < -1e-8 * max(roots[-1], 1e-300):
                raise ValueError("expected a covariance without negative variances")
        return self

    def _fits_a_stack(self) -> _Part:
        unknown = set(self.diagnostics.weights) - set(FAMILIES)
        if unknown:
            raise ValueError("expected a stack of families that are known")
        if self.diagnostics.undetermined or self.covariance is not None:
            raise ValueError("expected a stack without undetermined parameters or a covariance")
        return self


class _Parts(_Strict):
    purchases: _Part
    # absent in a model without it, never null
    spend: _Part = Field(default=None)  # type: ignore[assignment]

    @model_validator(mode="after")
    def _are_in_their_places(self) -> _Parts:
        if self.purchases.family in SPEND or (
            self.spend is not None and self.spend.family not in SPEND
        ):
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
            good = given.keys() == {"a", "b", "c"} and all(
                each.shape == () for each in given.values()
            )
            good = good and bool(given["a"] >= 0 and given["b"] >= 0 and np.isfinite(given["c"]))
        else:
            p, q = given.get("p", np.array(0)), given.get("q", np.array(0))
            good = p.ndim == q.ndim == 1 and p.size == q.size > 0
            good = good and all(bool((each >= 0).all() and (each <= 1).all()) for each in (p, q))
            good = good and bool((np.diff(p) >= 0).all() and (np.diff(q) >= 0).all())
        if not good:
            raise ValueError("expected a map of probabilities that never falls")
        return self


class SavedModel(_Strict):
    """The contents of ``model.json``."""

    schema_: Annotated[int, Field(alias="schema", ge=1)]
    mean_spend: float
    calibration: _Calibration | None = None
    stage_facts: _StageFacts | None = None
    data: _Data
    parts: _Parts

    @model_validator(mode="after")
    def _knows_its_money(self) -> SavedModel:
        if self.parts.spend is not None and not np.isfinite(self.mean_spend):
            raise ValueError("expected a finite mean_spend beside a model of spend")
        if (
            self.stage_facts is not None
            and self.stage_facts.median_gap_days is None
            and self.data.repeaters
        ):
            raise ValueError("expected stage_facts.median_gap_days where there are repeat buyers")
        return self
