"""The manifest of a version: the hash of every file, by which a change is detected."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from lifestage.core.errors import RegistryError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

__all__ = ["MANIFEST", "check_files", "content_hash", "manifest_of"]

MANIFEST = "manifest.json"
SCHEMA = 1


def manifest_of(content: Path, created: datetime) -> bytes:
    """List the hashes of the files of a version, as JSON."""
    files = {file.name: content_hash(file.read_bytes()) for file in sorted(content.iterdir())}
    return json.dumps(
        {"schema": SCHEMA, "created": created.isoformat(), "files": files}, indent=1
    ).encode()


def check_files(path: Path, version: str) -> None:
    """Refuse a version whose files are not those of its manifest, or whose manifest was changed."""
    files = {file.name: file for file in path.iterdir()}
    special = [name for name, file in files.items() if file.is_symlink() or not file.is_file()]
    if path.is_symlink() or special:
        raise RegistryError(
            f"{path} holds what is not a plain file: {', '.join(special) or 'it is a link itself'}"
        )
    content = (path / MANIFEST).read_bytes()
    manifest = json.loads(content)
    if manifest["schema"] > SCHEMA:
        raise RegistryError(
            f"{path} was written by a newer version (schema {manifest['schema']}, known: {SCHEMA})"
        )
    if content_hash(content)[:8] != version[-8:]:
        raise RegistryError(
            f"{path / MANIFEST} was changed after it was written: its hash is not that of the name"
        )
    hashes = manifest["files"]
    wrong = sorted((files.keys() ^ hashes.keys()) - {MANIFEST})
    if wrong:
        raise RegistryError(f"{path} is missing, or holds beside its own: {', '.join(wrong)}")
    changed = [name for name in hashes if content_hash(files[name].read_bytes()) != hashes[name]]
    if changed:
        raise RegistryError(f"{path} was changed after it was written: {', '.join(changed)}")


def content_hash(content: bytes) -> str:
    """Return the SHA-256 of a content, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
