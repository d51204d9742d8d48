"""The example in the README runs and prints what the README says."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")


def test_the_example_prints_what_is_shown() -> None:
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    shown = re.search(r"```text\n(.*?)```", README, re.DOTALL)
    assert len(blocks) == 2
    assert shown
    printed, names = io.StringIO(), {}
    with contextlib.redirect_stdout(printed):
        for block in blocks:  # one after another, as a reader would
            exec(block, names)
    assert printed.getvalue().strip() == shown.group(1).strip()
    assert len(names["chosen"]) == 416
    assert names["limits"]["pays"].all()


def test_linked_files_are_there() -> None:
    for target in re.findall(r"\]\((?!http)([^)]+)\)", README):
        assert (Path(__file__).parents[1] / target).exists(), target
