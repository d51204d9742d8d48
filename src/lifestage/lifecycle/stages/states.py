"""The states that the rules of the stages can tell apart.

A rule compares purchase days, the activity ratio and P(alive) with fixed numbers, and asks for high
value. These numbers cut each quantity into bands; all
combinations of bands are the *states*. A simulation counts customers by state, and every rule is
applied to the states once, not to every customer at every time.
"""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import narwhals as nw
import numpy as np

from lifestage.core.errors import ConfigError
from lifestage.lifecycle.frames import collect
from lifestage.lifecycle.stages.conditions import (
    NUMBER,
    Operand,
    operand,
    parse_condition,
)
from lifestage.lifecycle.stages.playbook import Playbook
from lifestage.lifecycle.stages.rules import facts_of, stage_index

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import ArrayLike, NDArray

    from lifestage.core.typing import Floats, Ints
    from lifestage.lifecycle.stages.taxonomies import Taxonomy
    from lifestage.lifecycle.stages.thresholds import Thresholds

__all__ = ["StateSpace", "check_predictable", "predictable", "state_space"]

QUANTITIES = {
    "N": "purchase_days",
    "frequency": "purchase_days",
    "R": "activity_ratio",
    "activity_ratio": "activity_ratio",
    "p_alive": "p_alive",
}
"""Names in conditions whose values a forecast knows, and the quantity behind each."""

RANGES = {
    "purchase_days": (1.0, math.inf),
    "activity_ratio": (0.0, 1.0),
    "p_alive": (0.0, 1.0),
}
"""Where the quantities of buyers lie: cuts outside divide nobody."""

MIRRORED = {ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE}
"""Comparisons with their sides exchanged."""

PREDICTABLE = (
    "N, frequency, R, activity_ratio or p_alive compared with a number, or high_value: a forecast"
    " knows nothing else of a customer"
)


@dataclass(frozen=True)
class StateSpace:
    """All combinations of bands; a state is a number, 0, 1, … ``size`` − 1.

    Attributes
    ----------
    purchase_days : tuple of float, rising
        Purchase days N from which a customer is in the next band.
    activity_ratio : tuple of float, falling
        Levels of R below which a customer is in the next band.
    p_alive : tuple of float, rising
        Levels of P(alive) from which a customer is in the next band.
    """

    purchase_days: tuple[float, ...]
    activity_ratio: tuple[float, ...]
    p_alive: tuple[float, ...]

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Bands of N, of R, of high value (no, yes) and of P(alive)."""
        return (
            len(self.purchase_days) + 1,
            len(self.activity_ratio) + 1,
            2,
            len(self.p_alive) + 1,
        )

    @property
    def size(self) -> int:
        """How many states there are."""
        return math.prod(self.shape)

    def states_of(
        self,
        purchase_days: Floats,
        activity_ratio: Floats,
        high: ArrayLike,
        p_alive: Floats,
    ) -> Ints:
        """Return the state of each customer; arrays of shape (n,)."""
        n_band = np.searchsorted(self.purchase_days, purchase_days, side="right")
        r_band = np.zeros(np.shape(activity_ratio), np.int64)
        for level in self.activity_ratio:
            r_band += activity_ratio < level
        alive_band = np.zeros(r_band.shape, np.int64)
        for level in self.p_alive:
            alive_band += p_alive >= level
        bands = (n_band, r_band, np.asarray(high, np.int64), alive_band)
        return np.asarray(np.ravel_multi_index(bands, self.shape), np.int64)

    def stage_of_states(
        self, taxonomies: Iterable[Taxonomy], limits: Thresholds
    ) -> dict[str, NDArray[np.int64]]:
        """Find the stage that each state stands for, as its place in the taxonomy, by taxonomy."""
        import pandas as pd

        n_band, r_band, high, alive_band = np.unravel_index(np.arange(self.size), self.shape)
        # The middle of each band stands for it: rules differ between bands, not within one.
        n = np.array([1.0, *self.purchase_days])[n_band]
        ratio = _middles((1.0, *self.activity_ratio, 0.0))[r_band]
        table = pd.DataFrame(
            {
                "frequency": n - 1.0,
                "_purchase_days": n,
                "activity_ratio": ratio,
                "_activity_ratio": ratio,
                "p_alive": _middles((0.0, *self.p_alive, 1.0))[alive_band],
                "_high_value": high.astype(bool),
            }
        )
        frame = nw.from_native(table)
        facts = facts_of(frame, limits)
        index = {}
        for taxonomy in taxonomies:
            index[taxonomy.name] = stage_index(taxonomy, frame, facts)
        places = collect(frame.select(**index))
        return {str(name): places[name].to_numpy(np.int64) for name in places}


def state_space(taxonomies: Iterable[Taxonomy], limits: Thresholds) -> StateSpace:
    """Find the states that the rules of these taxonomies tell apart.

    Raises
    ------
    ConfigError
        If a condition reads what a forecast cannot know.
    """
    cuts: dict[str, set[float]] = {quantity: set() for quantity in RANGES}
    for taxonomy in taxonomies:
        for quantity, cut in _cuts_of_taxonomy(taxonomy, limits):
            lowest, highest = RANGES[quantity]
            if lowest < cut <= highest:
                cuts[quantity].add(cut)
    days, ratios, alive = map(sorted, cuts.values())
    return StateSpace(tuple(days), tuple(ratios[::-1]), tuple(alive))


def check_predictable(taxonomy: Taxonomy, limits: Thresholds) -> None:
    """Refuse a taxonomy whose conditions read what a forecast cannot know.

    Raises
    ------
    ConfigError
        A sentence that names the condition.
    """
    for _ in _cuts_of_taxonomy(taxonomy, limits):
        pass


def predictable(playbook: Playbook, limits: Thresholds) -> Playbook:
    """Leave out the taxonomies of a playbook whose conditions read what a forecast cannot know."""
    taxonomies = {}
    for name, taxonomy in playbook.taxonomies.items():
        try:
            check_predictable(taxonomy, limits)
        except ConfigError:
            continue
        taxonomies[name] = taxonomy
    return Playbook(taxonomies)


def _cuts_of_taxonomy(taxonomy: Taxonomy, limits: Thresholds) -> Iterator[tuple[str, float]]:
    """Yield the quantity and the number of every comparison in the rules of a taxonomy."""
    constants = limits.constants()
    for key, when in zip(taxonomy.keys, taxonomy.rules, strict=True):
        if when is None:
            continue
        try:
            yield from _cuts_of_condition(parse_condition(when), constants)
        except ConfigError as error:
            raise ConfigError(
                f"taxonomy {taxonomy.name}, stage {key}: {error} in the condition {when!r}"
            ) from error


def _cuts_of_condition(node: ast.AST, constants: dict[str, float]) -> Iterator[tuple[str, float]]:
    if isinstance(node, ast.Name):
        if node.id != "high_value":
            _refuse_name(node.id)
        return
    if not isinstance(node, ast.Compare):
        for child in ast.iter_child_nodes(node):
            yield from _cuts_of_condition(child, constants)
        return
    sides = (node.left, *node.comparators)
    for op, left, right in zip(node.ops, sides, sides[1:], strict=False):
        kind = type(op)
        if _quantity(left) is None:
            left, right, kind = right, left, MIRRORED.get(kind, kind)
        quantity = _quantity(left)
        if quantity is None:
            raise ConfigError(f"expected {PREDICTABLE}; got {ast.unparse(node)!r}")
        number = _constant(right, constants)
        if quantity != "purchase_days":
            yield quantity, number
            continue
        if isinstance(left, ast.Name) and left.id == "frequency":
            number += 1.0
        yield from ((quantity, float(cut)) for cut in _whole_cuts(kind, number))


def _whole_cuts(kind: type[ast.cmpop], number: float) -> set[int]:
    """Find the whole numbers from which on a comparison with *number* turns out differently."""
    at, above = math.ceil(number), math.floor(number) + 1
    if kind in (ast.GtE, ast.Lt):
        return {at}
    if kind in (ast.Gt, ast.LtE):
        return {above}
    return {at, above}


def _quantity(node: ast.AST) -> str | None:
    return QUANTITIES.get(node.id) if isinstance(node, ast.Name) else None


def _constant(node: ast.expr, constants: dict[str, float]) -> float:
    def threshold(name: str) -> Operand:
        if name not in constants:
            _refuse_name(name)
        return constants[name], NUMBER

    value, kind = operand(node, threshold)
    if kind != NUMBER:
        raise ConfigError(f"expected {PREDICTABLE}; got {ast.unparse(node)!r}")
    return float(value)


def _refuse_name(name: str) -> None:
    raise ConfigError(f"expected {PREDICTABLE}; got {name}")


def _middles(edges: tuple[float, ...]) -> Floats:
    ends = np.array(edges)
    return np.asarray((ends[:-1] + ends[1:]) / 2)
