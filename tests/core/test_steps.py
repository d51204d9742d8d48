"""What takes long is said: in logs under lifestage, and after two seconds to whoever waits; failures can be errors."""

from __future__ import annotations

import io
import logging
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

import lifestage as ls
from lifestage.cli.console import progress
from lifestage.core import steps
from lifestage.core.notes import Note
from lifestage.fitting import fit_purchases
from lifestage.fitting.posterior import Status

if TYPE_CHECKING:
    import pandas as pd

Stream = Callable[[io.StringIO], io.StringIO]


class Terminal(io.StringIO):
    """A stream that a person reads."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> Callable[[io.StringIO], io.StringIO]:
    """Puts a stream in the place of standard error, outside of notebooks, where 50 ms are long."""
    monkeypatch.setattr(steps, "ANNOUNCE_AFTER", 0.05)
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)

    def put(stream: io.StringIO) -> io.StringIO:
        monkeypatch.setattr(sys, "stderr", stream)
        return stream

    return put


def test_long_steps_are_logged_under_the_package(
    cdnow: pd.DataFrame, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="lifestage"):
        customers = ls.summarize(cdnow, until="1997-09-30", period="week")
        model = ls.fit(customers, method="laplace", draws=100)
        model.predict(customers)
        model.predict_draws(customers.table.head(10))
        ls.evaluate.loo(model, customers)
        ls.backtest(cdnow, families=["bg/nbd"], origins=["1997-09-30"], horizon=10, period="week")
    told = {record.name: record.getMessage() for record in caplog.records}
    names = (
        "data.customers.order_log",
        "model",
        "prediction.scores",
        "prediction.draws",
        "fitting.loo",
        "evaluate.backtest",
    )
    assert {f"lifestage.{name}" for name in names} <= set(told)
    assert "Fitting bg/nbd by laplace to 2,357 customers …" in caplog.messages
    assert any(
        text.startswith("Backtest from 1997-09-30, 1 of 1: done in ") for text in caplog.messages
    )
    assert all(record.levelno == logging.INFO for record in caplog.records)


def test_nothing_is_printed_where_nobody_set_up_logging(
    cdnow: pd.DataFrame, capfd: pytest.CaptureFixture[str]
) -> None:
    assert any(
        isinstance(handler, logging.NullHandler)
        for handler in logging.getLogger("lifestage").handlers
    )
    ls.fit(ls.summarize(cdnow, until="1997-09-30"))
    assert capfd.readouterr() == ("", "")


def test_a_long_step_is_named_once_to_a_person(stream: Stream) -> None:
    terminal = stream(Terminal())
    with steps.step("lifestage.tests", "Outside"), steps.step("lifestage.tests", "Inside"):
        time.sleep(0.2)
    with steps.step("lifestage.tests", "Short"):
        pass
    time.sleep(0.1)
    assert terminal.getvalue() == "lifestage: Outside …\n"


def test_the_command_line_tells_for_itself(stream: Stream) -> None:
    terminal = stream(Terminal())
    with progress(silent=True), steps.step("lifestage.tests", "Fitting"):
        time.sleep(0.2)
    assert "lifestage:" not in terminal.getvalue()


def test_no_person_is_told_in_a_pipe(stream: Stream) -> None:
    pipe = stream(io.StringIO())
    with steps.step("lifestage.tests", "Fitting"):
        time.sleep(0.2)
    assert pipe.getvalue() == ""
    with pytest.raises(ValueError, match="as it was"), steps.step("lifestage.tests", "Failing"):
        raise ValueError("as it was")


@pytest.mark.parametrize(
    "status",
    [
        Status(False),
        Status(True, (Note("unreliable_draws", "The fast posterior is not reliable."),)),
        Status(True, (Note("chains_unmixed", "The chains may not have found it."),)),
    ],
    ids=["search", "laplace", "nuts"],
)
def test_a_failed_fit_can_be_an_error(
    customers: ls.Summary, monkeypatch: pytest.MonkeyPatch, status: Status
) -> None:
    assert ls.fit(customers, raise_on_failure=True).converged
    failed = replace(fit_purchases(ls.compress(customers)), status=status)
    monkeypatch.setattr("lifestage.model.create.fit_purchases", lambda *_, **__: failed)
    assert "Purchases: " in ls.fit(customers).status
    with pytest.raises(
        ls.FitError, match=r"^Purchases: .*(NOT converge|not reliable|may not have found)"
    ):
        ls.fit(customers, raise_on_failure=True)
