"""The model store: whole versions, one champion, a way back; and what is damaged or foreign is refused in a sentence."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import lifestage as ls
from lifestage import registry
from lifestage.core.errors import RegistryError
from lifestage.registry.model_card import model_card

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="module")
def other(customers: ls.Summary) -> ls.LTVModel:
    return ls.fit(customers, purchases="mbg/nbd")


@pytest.fixture
def store(tmp_path: Path, model: ls.LTVModel) -> Path:
    folder = registry.model_folder(tmp_path / "models", "shop")
    registry.promote(folder, registry.add_version(folder, model, {"card.md": model_card(model)}))
    return folder


def test_a_version_is_the_model_it_was_made_of(
    store: Path, model: ls.LTVModel, customers: ls.Summary
) -> None:
    (version,) = registry.versions(store)
    assert registry.champion(store) == version
    pd.testing.assert_frame_equal(
        registry.load_version(store).predict(customers), model.predict(customers)
    )
    assert "2,357, 946 of them repeat buyers" in registry.read_text(store, version, "card.md")
    assert sorted(each.name for each in store.iterdir()) == sorted(
        [version, "champion", "history.jsonl"]
    )
    with pytest.raises(RegistryError, match="has none"):
        registry.read_text(store, version, "release_notes.md")


def test_champions_come_and_go_back(store: Path, model: ls.LTVModel, other: ls.LTVModel) -> None:
    first = registry.champion(store)
    assert first is not None
    second, third = registry.add_version(store, other), registry.add_version(store, model)
    assert registry.champion(store) == first
    registry.promote(store, second)
    registry.promote(store, third)
    assert registry.rollback(store) == second
    assert registry.load_version(store).purchases.family == "mbg/nbd"
    assert registry.rollback(store) == first
    with pytest.raises(RegistryError, match="an earlier champion"):
        registry.rollback(store)
    table = registry.diff(store, first, second)
    assert set(table["family"]) == {"bg/nbd", "mbg/nbd", "gamma-gamma", ""}
    assert table.iloc[-1][["before", "after"]].tolist() == [2357, 2357]


def test_pruning_spares_the_champion_and_the_one_before(store: Path, model: ls.LTVModel) -> None:
    first = registry.champion(store)
    made = [registry.add_version(store, model) for _ in range(4)]
    registry.promote(store, made[0])
    assert registry.prune(store, 1) == made[1:3]
    assert registry.versions(store) == [first, made[0], made[3]]
    with pytest.raises(RegistryError, match="1 or more"):
        registry.prune(store, 0)


def touched(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "name", ["model.json", "purchases.parquet", "spend.parquet", "card.md", "manifest.json"]
)
@pytest.mark.parametrize(
    "harm", [touched, lambda path: path.write_bytes(path.read_bytes()[:-20]), Path.unlink]
)
def test_damage_anywhere_is_seen(store: Path, name: str, harm: Callable[[Path], None]) -> None:
    version = registry.versions(store)[0]
    harm(store / version / name)
    with pytest.raises(
        RegistryError, match=r"changed after it was written|is missing|could not read it"
    ):
        registry.load_version(store)
    with pytest.raises(RegistryError):
        registry.promote(store, version)


def test_what_is_foreign_is_refused(store: Path, tmp_path: Path) -> None:
    version = registry.versions(store)[0]
    (store / version / "evil.pkl").write_bytes(b"\x80\x04.")
    with pytest.raises(RegistryError, match=r"beside its own: evil\.pkl"):
        registry.load_version(store)
    (store / version / "evil.pkl").unlink()
    secret = tmp_path / "secret.md"
    shutil.move(store / version / "card.md", secret)
    (store / version / "card.md").symlink_to(secret)
    with pytest.raises(RegistryError, match="not a plain file"):
        registry.read_text(store, version, "card.md")


def test_a_newer_schema_is_told_from_damage(store: Path) -> None:
    version = registry.versions(store)[0]
    path = store / version / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema": 99}))
    with pytest.raises(RegistryError, match=r"newer version \(schema 99"):
        registry.load_version(store)


@pytest.mark.parametrize(
    "name", ["..", "../shop", "a/b", "", ".hidden", "a\\b", "x" * 101, "C:evil", "a\nb"]
)
def test_names_that_lead_elsewhere(store: Path, name: str) -> None:
    with pytest.raises(RegistryError, match="expected a name"):
        registry.model_folder(store, name)
    with pytest.raises(RegistryError, match="expected a version"):
        registry.load_version(store, name)
    with pytest.raises(RegistryError, match="expected a name"):
        registry.read_text(store, registry.versions(store)[0], name)


def test_a_pointer_that_points_nowhere(store: Path) -> None:
    version = registry.versions(store)[0]
    (store / "champion").write_text("../../elsewhere")
    with pytest.raises(RegistryError, match="the name of a version"):
        registry.load_version(store)
    (store / "champion").write_text(version)
    shutil.rmtree(store / version)
    with pytest.raises(RegistryError, match="there is no such version"):
        registry.load_version(store)
    (store / "champion").unlink()
    with pytest.raises(RegistryError, match="nothing was promoted"):
        registry.load_version(store)


@pytest.mark.parametrize("name", ["champion", "history.jsonl"])
def test_a_folder_in_the_place_of_a_file_is_told(store: Path, name: str) -> None:
    (store / name).unlink()
    (store / name).mkdir()
    with pytest.raises(RegistryError, match=rf"expected a file {name} in .*shop"):
        registry.rollback(store)
    with pytest.raises(RegistryError, match=rf"expected a file {name} in .*shop"):
        registry.latest_evaluated(store)


def test_nesting_without_end_is_no_json_of_ours(store: Path) -> None:
    version = registry.versions(store)[0]
    with (store / "history.jsonl").open("a") as file:
        file.write("[" * 200_000 + "\n")
    assert registry.latest_evaluated(store) == version
    for name in ("model.json", "manifest.json"):
        (store / version / name).write_text('{"schema": ' + "[" * 200_000)
        with pytest.raises(RegistryError):
            registry.load_version(store)


def test_versions_keep_their_order_when_the_clock_does_not(
    store: Path, model: ls.LTVModel, other: ls.LTVModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = registry.champion(store)

    class Clock(datetime):
        @classmethod
        def now(cls, zone: tzinfo | None = None) -> Clock:
            return cls(2001, 1, 1, tzinfo=zone)

    monkeypatch.setattr(sys.modules["lifestage.registry.versions"], "datetime", Clock)
    second, third = registry.add_version(store, other), registry.add_version(store, model)
    assert registry.versions(store) == [first, second, third]
    assert "2001-01-01" in (store / third / "manifest.json").read_text("utf-8")
    registry.promote(store, second)
    registry.reject(store, third)
    assert registry.latest_evaluated(store) == third
    assert registry.prune(store, 1) == []
    fourth = registry.add_version(store, model)
    assert registry.prune(store, 1) == [third]
    assert registry.versions(store) == [first, second, fourth]


def writer(folder: str, saved: str) -> None:
    for _ in range(5):
        registry.promote(folder, registry.add_version(folder, ls.load(saved)))


def test_writers_at_once_leave_whole_versions(
    store: Path, model: ls.LTVModel, tmp_path: Path
) -> None:
    saved = str(model.save(tmp_path / "saved"))
    context = multiprocessing.get_context("spawn")
    others = [context.Process(target=writer, args=(str(store), saved)) for _ in range(2)]
    for each in others:
        each.start()
    writer(str(store), saved)
    for each in others:
        each.join(60)
        assert each.exitcode == 0
    assert len(registry.versions(store)) == 16
    for version in registry.versions(store):
        registry.verify(store, version)
    assert registry.champion(store) in registry.versions(store)
    assert not list(store.glob(".partial-*"))


def test_a_second_holder_is_told_who_holds(store: Path) -> None:
    with (
        registry.lock(store),
        pytest.raises(RegistryError, match=f"process {os.getpid()} since"),
        registry.lock(store),
    ):
        raise AssertionError("held twice")
    with registry.lock(store):
        pass


KILLED = """
import os, signal, sys
import lifestage as ls
from lifestage import registry
calls, at = [0], int(sys.argv[3])
def counted(name):
    real = getattr(os, name)
    def call(*args, **how):
        calls[0] += 1
        if calls[0] == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **how)
    setattr(os, name, call)
model = ls.load(sys.argv[2])
for name in ("rename", "replace", "fsync"):
    counted(name)
with registry.lock(sys.argv[1]):
    registry.promote(sys.argv[1], registry.add_version(sys.argv[1], model))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
@pytest.mark.parametrize(
    "at",
    [1, pytest.param(2, marks=pytest.mark.slow), 8, 10, pytest.param(11, marks=pytest.mark.slow)],
)
def test_a_kill_leaves_the_champion_serving(
    store: Path, model: ls.LTVModel, tmp_path: Path, at: int
) -> None:
    saved = model.save(tmp_path / "saved")
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(store), str(saved), str(at)], check=False
    )
    assert done.returncode == -signal.SIGKILL
    for version in registry.versions(store):
        registry.verify(store, version)
    registry.load_version(store)
    with registry.lock(store):
        registry.clean(store)
        registry.promote(store, registry.add_version(store, model))
    assert registry.rollback(store) in registry.versions(store)
    assert not list(store.glob(".partial-*"))


def test_no_customer_is_in_the_store(cdnow: pd.DataFrame, tmp_path: Path) -> None:
    log = cdnow.assign(customer_id="someone-" + cdnow["customer_id"].astype(str))
    model = ls.fit(ls.summarize(log, until="1997-09-30", period="week"), method="laplace", draws=50)
    version = registry.add_version(tmp_path, model, {"card.md": model_card(model)})
    for each in (tmp_path / version).iterdir():
        assert b"someone-" not in each.read_bytes()
