"""The files of a saved model: written whole or not at all, and read with every value checked."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError

from lifestage.core.addresses import local_path
from lifestage.core.errors import RegistryError
from lifestage.core.files import ensure_empty_or_own, staging_folder
from lifestage.core.notes import Note
from lifestage.data.customers.serialise import facts_from_json, facts_to_json, note_to_json
from lifestage.families import family
from lifestage.fitting.fitted import FittedModel
from lifestage.fitting.posterior import Posterior, Status
from lifestage.fitting.recalibration import Calibration
from lifestage.fitting.saved_values import SavedModel
from lifestage.fitting.stage_facts import read_stage_facts

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["MODEL_FILES", "SCHEMA", "read_model", "write_model"]

MODEL_FILES = frozenset({"model.json", "purchases.parquet", "spend.parquet"})
SCHEMA = 2
"""1 was without ``stage_facts``."""


def write_model(model: FittedModel, path: str | os.PathLike[str]) -> Path:
    """Write a model into the folder *path*, whole or not at all.

    Raises
    ------
    ConfigError
        If *path* is a file, or a folder that holds anything else.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    target = local_path(path).resolve()
    ensure_empty_or_own(target, MODEL_FILES)
    with staging_folder(target) as staging:
        (staging / "model.json").write_text(
            json.dumps(_to_json(model), indent=1, ensure_ascii=False), "utf-8"
        )
        for name, part in model.parts.items():
            pq.write_table(pa.table(dict(part.draws)), staging / f"{name}.parquet")
    return target


def read_model(path: str | os.PathLike[str]) -> FittedModel:
    """Read what :func:`write_model` wrote; nothing in the folder is executed.

    Raises
    ------
    RegistryError
        If the folder is not such a model, is damaged, was written by a newer version, or holds a
        value that cannot be.
    """
    folder = local_path(path)
    raw = _read_json(folder)
    try:
        parts = {}
        for name in [each for each in ("purchases", "spend") if raw["parts"].get(each) is not None]:
            part = raw["parts"][name]
            parts[name] = Posterior(
                family=part["family"],
                method=part["method"],
                draws=_read_draws(folder / f"{name}.parquet", part["family"]),
                status=Status(part["converged"], tuple(Note(**note) for note in part["notes"])),
                covariance=(
                    None if part["covariance"] is None else np.array(part["covariance"], float)
                ),
                diagnostics=part["diagnostics"],
                priors=part["priors"],
            )
        known = raw.get("calibration")
        return FittedModel(
            parts["purchases"],
            parts.get("spend"),
            facts_from_json(raw["data"]),
            raw["mean_spend"],
            None if known is None else Calibration(**known),
            read_stage_facts(raw.get("stage_facts")),
        )
    except RegistryError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise RegistryError(
            f"expected a saved model in {folder}; could not read it: {error}"
        ) from error


def _to_json(model: FittedModel) -> dict[str, Any]:
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


def _read_json(folder: Path) -> dict[str, Any]:
    """The contents of ``model.json``, with every value within what it can be.

    Raises
    ------
    RegistryError
        If it cannot be read, was written by a newer version, or a value cannot be: its name and
        what it is.
    """
    try:
        raw = json.loads((folder / "model.json").read_text("utf-8"))
        schema = raw["schema"]
        if isinstance(schema, int) and schema > SCHEMA:
            raise RegistryError(
                f"{folder} was written by a newer version (schema {schema}, known: {SCHEMA})"
            )
        SavedModel.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        name, given = ".".join(map(str, first["loc"])), repr(first["input"])
        raise RegistryError(
            f"{folder / 'model.json'}: {name}: {first['msg']}; got {given[:80]}"
        ) from None
    except (OSError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise RegistryError(
            f"expected a saved model in {folder}; could not read it: {error!s:.200}"
        ) from error
    return dict(raw)


def _read_draws(file: Path, name: str) -> dict[str, NDArray[np.float64]]:
    """The draws of the parameters of a family.

    Raises
    ------
    RegistryError
        If the file cannot be read or has no draws, or a value cannot be: its name, its draw, and
        what it is.
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
            raise RegistryError(
                f"expected {each} of {name} as {what}; draw {at} of {file} has {values[at]:g}"
            )
    return draws
