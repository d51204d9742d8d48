"""The public names: there at first touch, and nothing else in sight."""

from __future__ import annotations

import subprocess
import sys

import lifestage as ls


def fresh(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_modules_are_there_at_first_touch() -> None:
    names = ("families", "evaluate", "lifecycle", "mlflow", "plots")
    found = fresh(
        "import lifestage as ls; " + "; ".join(f"print(ls.{name}.__name__)" for name in names)
    ).split()
    assert found == [f"lifestage.{name}" for name in names]
    assert ls.datasets.__name__ == "lifestage.data.datasets"


def test_in_sight_are_the_public_names_alone_and_none_is_an_inner_module() -> None:
    code = "import lifestage as ls; ls.fit; ls.backtest; ls.LTVModel.predict; ls.evaluate; import lifestage.prediction.draws; "
    names = fresh(code + "print(*dir(ls))").split()
    assert names == sorted(ls.__all__)
    assert {"fit", "evaluate", "lifecycle", "families", "mlflow"} <= set(names)
    assert not {"annotations", "import_module", "Any", "TYPE_CHECKING", "model"} & set(names)
    assert fresh(code + "print(hasattr(ls, 'predict'))") == "False"


def test_every_public_name_can_be_loaded() -> None:
    assert [name for name in ls.__all__ if getattr(ls, name, None) is None] == []
