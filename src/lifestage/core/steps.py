"""Progress of long steps: all are logged, and those over two seconds are announced to the user.

Loggers are named after the modules, under ``lifestage``; ``logging.basicConfig(level="INFO")``
shows every step with the seconds it took. Without that, a step that takes over two seconds is
announced once on a terminal or in a notebook.
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

ANNOUNCE_AFTER = 2.0
"""Seconds after which a step is announced."""

_announced: ContextVar[bool] = ContextVar("_announced", default=False)
"""Whether an outer step, or the caller, announces the work itself."""


@contextmanager
def step(logger: str, text: str) -> Iterator[None]:
    """Log that a step begins and how long it took, and announce it if it takes over two seconds.

    Of nested steps the outermost is announced.

    Parameters
    ----------
    logger : str
        Name of the module.
    text : str
        The work, such as "Fitting bg/nbd by laplace".
    """
    log = logging.getLogger(logger)
    log.info("%s …", text)
    began = perf_counter()
    timer = None if _announced.get() else Timer(ANNOUNCE_AFTER, _announce, [text])
    if timer is not None:
        timer.daemon = True
        timer.start()
    token = _announced.set(True)
    try:
        yield
    finally:
        _announced.reset(token)
        if timer is not None:
            timer.cancel()
    log.info("%s: done in %.1f s", text, perf_counter() - began)


@contextmanager
def quietly() -> Iterator[None]:
    """Announce no step in this context: the caller does so itself, or is to be quiet."""
    token = _announced.set(True)
    try:
        yield
    finally:
        _announced.reset(token)


def _announce(text: str) -> None:
    stream = sys.stdout if "ipykernel" in sys.modules else sys.stderr
    if stream is not None and (stream is sys.stdout or stream.isatty()):
        stream.write(f"lifestage: {text} …\n")
        stream.flush()
