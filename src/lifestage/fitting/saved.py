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
from lifestage.fitting.fitted import FittedModel
from lifestage.fitting.posterior import Posterior, Status
from lifestage.fitting.recalibration import Calibration
from lifestage.fitting.saved_draws import read_draws, read_units
from lifestage.fitting.saved_values import SavedModel
from lifestage.fitting.stage_facts import read_stage_facts

if TYPE_CHECKING:
    import os
    from pathlib import Path

__all__ = ["MODEL_FILES", "SCHEMA", "read_model", "write_model"]

MODEL_FILES = frozenset({"model.json", "purchases.parquet", "spend.parquet"})
SCHEMA = 3
"""1 was without ``stage_facts``; until 2 a stack was of BG/NBD and MBG/NBD only."""


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
        for name, part in raw["parts"].items():
            if part is not None:
                parts[name] = _posterior(part, folder / f"{name}.parquet", raw["schema"])
        calibration = raw.get("calibration")
        return FittedModel(
            parts["purchases"],
            parts.get("spend"),
            facts_from_json(raw["data"]),
            raw["mean_spend"],
            None if calibration is None else Calibration(**calibration),
            read_stage_facts(raw.get("stage_facts")),
        )
    except RegistryError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise RegistryError(
            f"expected a saved model in {folder}; could not read it: {error}"
        ) from error


def _posterior(part: dict[str, Any], draws: Path, schema: int) -> Posterior:
    """The posterior of one part of a model."""
    name, covariance, diagnostics = part["family"], part["covariance"], part["diagnostics"]
    if "units" in diagnostics:
        diagnostics["units"] = read_units(diagnostics["units"], name, schema)
    notes = tuple(Note(**note) for note in part["notes"])
    return Posterior(
        family=name,
        method=part["method"],
        draws=read_draws(draws, name, schema),
        status=Status(part["converged"], notes),
        covariance=None if covariance is None else np.array(covariance, float),
        diagnostics=diagnostics,
        priors=part["priors"],
    )


def _to_json(model: FittedModel) -> dict[str, Any]:
    """Everything of a model but its draws."""
    parts = {}
    for name, part in model.parts.items():
        parts[name] = {
            "family": part.family,
            "method": part.method,
            "converged": part.status.converged,
            "notes": [note_to_json(note) for note in part.status.notes],
            "covariance": None if part.covariance is None else part.covariance.tolist(),
            "diagnostics": dict(part.diagnostics),
            "priors": dict(part.priors),
        }
    return {
        "schema": SCHEMA,
        "mean_spend": model.mean_spend,
        "calibration": None if model.calibration is None else asdict(model.calibration),
        "stage_facts": None if model.stage_facts is None else asdict(model.stage_facts),
        "data": facts_to_json(model.data),
        "parts": parts,
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
