"""Results are there whole at any moment, for their user alone; and nothing is left of who was stopped or killed."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pandas as pd
import pyarrow.parquet as pq
import pytest

import lifestage as ls
from lifestage.cli.console import terminable
from lifestage.core import files as folders
from lifestage.core.errors import DataError
from lifestage.core.files import remove_abandoned, staging_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals and permissions")
LEFT = "orders.csv out deep customers.parquet model report.html stages.csv summary.json"
RUN = ["run", "orders.csv", "--backtest", "0", "--quiet", "--out", "out/deep"]


@pytest.fixture
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, cdnow: pd.DataFrame) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    cdnow[cdnow["customer_id"] % 4 == 0].to_csv(folder / "orders.csv", index=False)
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def fill(target: Path, text: str, private: bool = False) -> None:
    with staging_folder(target, private=private) as staging:
        (staging / "one.txt").write_text(text)
        (staging / "two.txt").write_text(text)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


POLLER = """
import os, sys
target, done = sys.argv[1:]
absent = looks = 0
while not os.path.exists(done):
    looks += 1
    absent += not os.path.exists(target)
    if looks == 100:
        print("ready", flush=True)
print(absent)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="folders change places in one step on Linux")
def test_a_reader_beside_200_replacements_always_finds_the_result(tmp_path: Path) -> None:
    target, done = tmp_path / "out", tmp_path / "done"
    fill(target, "0")
    how = [sys.executable, "-c", POLLER, str(target / "one.txt"), str(done)]
    with subprocess.Popen(how, stdout=subprocess.PIPE, text=True) as poller:
        assert poller.stdout is not None
        assert poller.stdout.readline() == "ready\n"
        for each in range(200):
            fill(target, str(each))
        done.touch()
        assert poller.stdout.read() == "0\n"
    assert (target / "two.txt").read_text() == "199"
    assert names(tmp_path) == ["done", "out"]


KILLED = """
import os, signal, sys
from pathlib import Path
from lifestage.core import files as folders
from lifestage.cli.console import terminable
from lifestage.core.errors import DataError
folders._exchange = lambda one, other: False
calls, at, rename = [0], int(sys.argv[2]), Path.rename
def counted(path, target):
    calls[0] += 1
    if calls[0] == at:
        os.kill(os.getpid(), signal.SIGKILL)
    return rename(path, target)
Path.rename = counted
with folders.staging_folder(Path(sys.argv[1])) as staging:
    (staging / "one.txt").write_text("new")
"""


@posix
@pytest.mark.parametrize(("at", "expected"), [(1, "old"), (2, "new")])
def test_a_kill_where_folders_cannot_be_exchanged_is_mended(
    tmp_path: Path, at: int, expected: str
) -> None:
    target = tmp_path / "out"
    fill(target, "old")
    done = subprocess.run([sys.executable, "-c", KILLED, str(target), str(at)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(names(tmp_path)) == (2 if at == 1 else 1)
    remove_abandoned(tmp_path, "out")
    assert names(tmp_path) == ["out"]
    assert (target / "one.txt").read_text() == expected


def test_without_an_exchange_an_error_between_the_steps_brings_back_a_whole_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, rename = tmp_path / "out", Path.rename
    fill(target, "old")
    monkeypatch.setattr(folders, "_exchange", lambda *_: False)
    fill(target, "newer")
    assert (target / "one.txt").read_text() == "newer"

    def stopped(path: Path, to: Path) -> Path:
        moved = rename(path, to)
        if to.name == folders.OLD:
            raise KeyboardInterrupt
        return moved

    monkeypatch.setattr(Path, "rename", stopped)
    with pytest.raises(KeyboardInterrupt):
        fill(target, "newest")
    assert (target / "two.txt").read_text() == "newest"
    assert names(tmp_path) == ["out"]


def test_an_error_of_the_system_is_not_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "out", "old")

    def refused(*_: object) -> bool:
        raise OSError(errno.EBUSY, "busy")

    monkeypatch.setattr(folders, "_exchange", refused)
    with pytest.raises(OSError, match="busy"):
        fill(tmp_path / "out", "new")
    assert names(tmp_path) == ["out"]
    assert (tmp_path / "out" / "one.txt").read_text() == "old"


LIVING = """
import sys
from pathlib import Path
from lifestage.core.files import staging_folder
with staging_folder(Path(sys.argv[1])) as staging:
    (staging / "one.txt").write_text("mine")
    print(staging.parent, flush=True)
    sys.stdin.readline()
"""


@posix
def test_rooms_of_the_dead_are_removed_and_those_of_the_living_are_not(tmp_path: Path) -> None:
    target = tmp_path / "out"
    how = [sys.executable, "-c", LIVING, str(target)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    dead, living = (subprocess.Popen(how, **pipes) for _ in range(2))  # type: ignore[call-overload]
    rooms = [Path(each.stdout.readline().strip()) for each in (dead, living)]
    dead.kill()
    dead.communicate()
    mine = [
        tmp_path / f".out-{text}" for text in ("notes", "0" * 32)
    ]  # of the user, whatever they are called
    for each in mine:
        each.mkdir()
    fill(target, "first")
    assert not rooms[0].exists()
    assert rooms[1].exists()
    assert mode(rooms[1]) == 0o700
    living.communicate("\n")
    assert living.returncode == 0
    assert (target / "one.txt").read_text() == "mine"
    assert names(tmp_path) == sorted(["out", *(each.name for each in mine)])


STOPPED = """
import os, random, signal, sys, threading, time
from pathlib import Path
from lifestage.cli import main

def run():
    try:
        main()
    except SystemExit as error:
        return error.code or 0

def stop_after(seconds):
    while time.process_time() < seconds:
        time.sleep(0.002)
    os.kill(os.getpid(), signal.SIGTERM)

moments, rng = int(sys.argv.pop(1)), random.Random(0)
before = time.process_time()
assert run() == 0  # what is imported and compiled on the way is there for the children, who take about half as long
whole = (time.process_time() - before) / 2
for each in range(moments):
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        threading.Thread(target=stop_after, args=[whole * (each + rng.random()) / moments], daemon=True).start()
        os._exit(run())
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(code, *sorted(os.listdir(".")), *sorted(os.listdir("out")), *sorted(os.listdir("out/deep")), flush=True)
"""


@posix
@pytest.mark.parametrize("moments", [3, pytest.param(50, marks=pytest.mark.slow)])
def test_a_request_to_end_leaves_nothing_behind(shop: Path, moments: int) -> None:
    how = [sys.executable, "-W", "ignore", "-c", STOPPED, str(moments), *RUN]
    done = subprocess.run(how, cwd=shop, stdout=subprocess.PIPE, text=True, check=True)
    found = [line.split(" ", 1) for line in done.stdout.splitlines()]
    assert len(found) == moments
    assert {left for _, left in found} == {LEFT}
    codes = [code for code, _ in found]
    assert set(codes) <= {"143", "0"}
    assert codes.count("143") >= moments / 2
    pq.read_table(shop / "out" / "deep" / "customers.parquet")
    ls.load(shop / "out" / "deep" / "model")


@posix
def test_a_first_run_that_is_stopped_leaves_no_folder(tmp_path: Path) -> None:
    with (
        pytest.raises(SystemExit) as stopped,
        terminable(),
        staging_folder(tmp_path / "a" / "b" / "out"),
    ):
        os.kill(os.getpid(), signal.SIGTERM)
    assert stopped.value.code == 128 + signal.SIGTERM
    assert names(tmp_path) == []
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


SPILLING = """
import os, signal, stat, sys
from pathlib import Path
from lifestage.data.engines.duckdb import connect
folder = Path(sys.argv[1])
connection = connect("80MB", folder, 1)
# a table that does not fit stays on the disk as long as it lives
connection.execute("create temp table t as select hash(range)::varchar || repeat('x', 40) as s from range(3000000)")
found = [path for path in folder.rglob("*") if path.name.startswith("duckdb_temp")]
(room,) = folder.iterdir()
print(len(found) > 0, oct(stat.S_IMODE(room.stat().st_mode)), flush=True)
if os.fork() == 0:
    sys.exit()  # a child that ends takes nothing away from its parent
os.wait()
print((room / ".lock").exists(), flush=True)
if len(sys.argv) > 2:
    os.kill(os.getpid(), signal.SIGKILL)
"""


@posix
def test_what_is_spilled_is_private_and_does_not_outlast_the_next_process(tmp_path: Path) -> None:
    for how, left in (["killed"], 1), ([], 0):
        call = [sys.executable, "-W", "ignore", "-c", SPILLING, str(tmp_path), *how]
        if not how:
            assert len(names(tmp_path)) == 1
            remove_abandoned(tmp_path, "lifestage")
        done = subprocess.run(call, stdout=subprocess.PIPE, text=True, check=False)
        assert done.stdout.split() == ["True", "0o700", "True"]
        assert len(names(tmp_path)) == left


WRITER = """
import sys
from pathlib import Path
import numpy as np, pyarrow as pa
from lifestage.data.sources.write import write_table
rows = pa.table({"customer_id": np.arange(20000), "ltv": np.random.default_rng(0).random(20000)})
print("ready", flush=True)
sys.stdin.readline()
for _ in range(50):
    write_table(rows, sys.argv[1])
"""


@posix
def test_two_writers_of_one_file_never_publish_a_broken_one(tmp_path: Path) -> None:
    target = tmp_path / "scored.parquet"
    how = [sys.executable, "-c", WRITER, str(target)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    writers = [subprocess.Popen(how, **pipes) for _ in range(2)]  # type: ignore[call-overload]
    for each in writers:
        assert each.stdout.readline() == "ready\n"
    for each in writers:
        each.stdin.write("\n")
        each.stdin.flush()
    looks = 0
    while any(each.poll() is None for each in writers):
        if target.exists():
            looks += 1
            assert pq.read_table(target).num_rows == 20_000
    for each in writers:
        each.communicate()
        assert each.returncode == 0
    assert looks > 10
    assert names(tmp_path) == ["scored.parquet"]


@posix
@pytest.mark.usefixtures("usual_umask")
def test_what_holds_customers_is_for_its_user_and_what_is_shared_stays_shared(
    tmp_path: Path, staged: pd.DataFrame, model: ls.LTVModel
) -> None:
    few, report = staged.head(50), tmp_path / "report.html"
    for name in ("scored.parquet", "scored.csv", "scored.duckdb"):
        ls.write_table(few, tmp_path / name)
        assert mode(tmp_path / name) == 0o600, name
        (tmp_path / name).chmod(0o640)
        ls.write_table(few, tmp_path / name)
        assert mode(tmp_path / name) == 0o640, name
    ls.write_report(staged, model, report)
    assert mode(report) == 0o600
    model.save(tmp_path / "model")  # holds no customer
    assert (mode(tmp_path / "model"), mode(tmp_path / "model" / "model.json")) == (0o755, 0o644)
    fill(tmp_path / "out", "", private=True)
    assert (mode(tmp_path / "out"), mode(tmp_path / "out" / "one.txt")) == (0o700, 0o600)
    (tmp_path / "out").chmod(0o750)
    (tmp_path / "out" / "one.txt").chmod(0o640)
    fill(tmp_path / "out", "", private=True)
    assert (mode(tmp_path / "out"), mode(tmp_path / "out" / "one.txt")) == (0o750, 0o640)
    assert mode(tmp_path / "out" / "two.txt") == 0o600


@posix
def test_a_stricter_umask_is_respected(tmp_path: Path, model: ls.LTVModel) -> None:
    before = os.umask(0o077)
    try:
        model.save(tmp_path / "model")
        assert (mode(tmp_path / "model"), mode(tmp_path / "model" / "model.json")) == (0o700, 0o600)
    finally:
        os.umask(before)


@posix
def test_what_was_shared_with_a_group_is_not_shared_with_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "out", "", private=True)
    (tmp_path / "out").chmod(0o750)
    stat_of = Path.stat

    def of_another_group(path: Path, **how: bool) -> os.stat_result:
        found = list(stat_of(path, **how))
        found[5] += path == tmp_path / "out"
        return os.stat_result(found)

    def refused(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "stat", of_another_group)
    monkeypatch.setattr(os, "chown", refused)
    fill(tmp_path / "out", "", private=True)
    monkeypatch.undo()
    assert mode(tmp_path / "out") == 0o700


def test_a_database_file_is_whole_and_free_after_a_failed_write(tmp_path: Path) -> None:
    shop = tmp_path / "shop.duckdb"
    ls.write_table(pd.DataFrame({"customer_id": [1]}), shop)
    broken = duckdb.sql(
        "select case when range < 5000 then range else error('broken') end as x from range(9000)"
    )
    with pytest.raises(DataError, match="could not write") as failed:
        ls.write_table(broken, shop)
    assert (
        failed.value.__traceback__ is not None
    )  # which keeps what its frames hold, the connection too, alive
    with duckdb.connect(shop) as connection:
        assert connection.sql("select * from customers").fetchall() == [(1,)]
