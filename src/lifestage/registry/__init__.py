"""A model store in a folder: versions written atomically, a champion among them, and rollback.

``<store>/<name>/`` holds ``spec.toml``, a folder per version, ``champion`` (the version in use) and
``history.jsonl`` (which version was promoted when). A version is named by the time it was added
and by the hash of its ``manifest.json``, which holds the hash of every other file: a change
anywhere is detected when it is loaded. Loading reads JSON and Parquet and executes nothing, and no
version holds a customer.
"""

from __future__ import annotations

from lifestage.registry.champions import (
    champion,
    latest_evaluated,
    load_version,
    promote,
    prune,
    reject,
    rollback,
)
from lifestage.registry.locking import lock
from lifestage.registry.parameters import diff
from lifestage.registry.versions import (
    add_version,
    check_name,
    clean,
    model_folder,
    read_text,
    verify,
    versions,
)

__all__ = [
    "add_version",
    "champion",
    "check_name",
    "clean",
    "diff",
    "latest_evaluated",
    "load_version",
    "lock",
    "model_folder",
    "promote",
    "prune",
    "read_text",
    "reject",
    "rollback",
    "verify",
    "versions",
]
