"""Steps that may take long: each is told to Python's logging, and one of over two seconds to whoever waits for it.

Loggers are named after the modules, under ``lifestage``; ``logging.basicConfig(level="INFO")``
shows every step with the seconds that it took. Without that, a step that is not over after two
seconds is named once where a person sees it: on a terminal, or in a notebook.
"""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Timer
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["quietly", "step"]

PATIENCE = 2.0
"""Seconds after which a step is named."""

_told: ContextVar[bool] = ContextVar("_told", default=False)
"""Whether a step around this one, or a caller, tells what is under way."""


@contextmanager
def step(logger: str, text: str) -> Iterator[None]:
    """Log that a step begins and how long it took, and name it to a person if it takes over two seconds.

    Of steps within steps a person is told the outermost.

    Parameters
    ----------
    logger : str
        Name of the module.
    text : str
        What is done, such as "Fitting bg/nbd by laplace".
    """
    log = logging.getLogger(logger)
    log.info("%s …", text)
    began = perf_counter()
    timer = None if _told.get() else Timer(PATIENCE, _tell, [text])
    if timer is not None:
        timer.daemon = True
        timer.start()
    token = _told.set(True)
    try:
        yield
    finally:
        _told.reset(token)
        if timer is not None:
            timer.cancel()
    log.info("%s: done in %.1f s", text, perf_counter() - began)


@contextmanager
def quietly() -> Iterator[None]:
    """Name no step to a person in here: the caller does so itself, or was asked to be quiet."""
    token = _told.set(True)
    try:
        yield
    finally:
        _told.reset(token)


def _tell(text: str) -> None:
    stream = sys.stdout if "ipykernel" in sys.modules else sys.stderr
    if stream is not None and (stream is sys.stdout or stream.isatty()):
        stream.write(f"lifestage: {text} …\n")
        stream.flush()
