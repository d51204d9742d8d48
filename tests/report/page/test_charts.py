"""Charts: well-formed, the same every time, no clashing ids, and no text of the data read as anything but text."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from lifestage.report.page import charts_base, charts_forecast, charts_validation

NASTY = "<script>alert(1)</script> $x^2$ & [[0]]"
WORDS = {
    "lang": "zh-Hant",
    "title": f"T {NASTY}",
    "x": "x 顧客",
    "y": "y 數",
    "holdout": "保留",
    "signal": "漂移",
}
PAIRS = [
    {"frequency": str(i), "actual": 1500.0 / (i + 1), "expected": 1400.0 / (i + 1)}
    for i in range(8)
]
TRACK = [
    {
        "end": f"2024-{i // 4 + 1:02d}-0{i % 4 + 1}",
        "actual": 10.0 + i,
        "expected": 11.0 + i,
        "holdout": i > 20,
    }
    | {"actual_cumulative": 10.0 * i, "expected_cumulative": 11.0 * i}
    for i in range(40)
]
STAGES = [
    {"label": NASTY, "customers": 0.7, "value": 0.2},
    {"label": "冠軍", "customers": 0.3, "value": 0.8},
]
BARS = [{"low": 0.0, "high": 5.0, "customers": 30}, {"low": 5.0, "high": None, "customers": 3}]
GROUPS = [
    {"label": NASTY, "middle": 5.0, "low": 4.0, "high": 7.0},
    {"label": "網路", "middle": 3.0, "low": 2.5, "high": 3.5},
]
TENTHS = [
    {"predicted": 0.1, "observed": 0.12, "low": 0.08, "high": 0.16},
    {"predicted": 0.7, "observed": 0.65, "low": 0.6, "high": 0.71},
]
WEEKS = [
    {"label": f"2024-0{i}", "actual": 9.0 + i, "expected": 10.0, "low": 7.0, "high": 14.0}
    for i in range(1, 10)
]
DAYS = [
    {"day": day, "bought_again": day / 90, "low": day / 99, "high": day / 80, "expected": day / 88}
    for day in (7, 30, 60)
]

CHARTS = {
    "pairs": lambda name: charts_base.pairs(name, PAIRS, WORDS),
    "total": lambda name: charts_base.track(name, TRACK, WORDS, suffix="_cumulative"),
    "weekly": lambda name: charts_base.track(name, TRACK, WORDS),
    "stages": lambda name: charts_base.stage_bars(name, STAGES, WORDS),
    "poor": lambda name: charts_base.stage_bars(
        name, [{**row, "value": None} for row in STAGES], WORDS
    ),
    "histogram": lambda name: charts_base.histogram(name, BARS, WORDS),
    "curve": lambda name: charts_base.concentration(name, [(0.1, 0.5), (1.0, 1.0)], WORDS),
    "flow": lambda name: charts_forecast.stage_flow(
        name, [("現在", [0.4, 0.6]), (NASTY, [0.96, 0.04])], charts_forecast.COLOURS[:2], WORDS
    ),
    "fan": lambda name: charts_forecast.fan(name, GROUPS, WORDS),
    "returns": lambda name: charts_forecast.returns(name, DAYS, WORDS),
    "ranges": lambda name: charts_forecast.ranges(name, GROUPS, WORDS),
    "reliability": lambda name: charts_validation.reliability(name, TENTHS, WORDS),
    "cumulative": lambda name: charts_validation.cumulative(name, WEEKS, WORDS),
    "band": lambda name: charts_validation.band(name, WEEKS, WORDS, signal=6),
    "quiet band": lambda name: charts_validation.band(name, WEEKS, WORDS),
}


def texts_of(root: ElementTree.Element) -> list[str]:
    nodes = root.iter("{http://www.w3.org/2000/svg}text")
    return ["".join(node.itertext()).strip() for node in nodes]


@pytest.mark.parametrize("kind", CHARTS)
def test_charts_are_accessible_responsive_and_deterministic(kind: str) -> None:
    svg = CHARTS[kind](kind)
    assert svg == CHARTS[kind](kind)
    root = ElementTree.fromstring(svg)
    assert "width" not in root.attrib
    assert root.attrib["viewBox"].startswith("0 0 ")
    assert root.attrib["role"] == "img"
    title = root.find("{http://www.w3.org/2000/svg}title")
    assert title is not None
    assert title.text == WORDS["title"]
    assert title.attrib["id"] == root.attrib["aria-labelledby"]
    assert "<script" not in svg
    assert "metadata" not in svg
    texts = texts_of(root)
    assert WORDS["x"] in texts
    assert not any(re.fullmatch(r"\[\[\d+\]\]", text) for text in texts)


def test_text_of_the_data_stays_text() -> None:
    for kind in ("stages", "flow", "ranges"):
        assert NASTY in texts_of(ElementTree.fromstring(CHARTS[kind]("s")))


def test_ids_of_one_chart_never_meet_those_of_another() -> None:
    ids = [re.findall(r'\bid="([^"]+)"', CHARTS["weekly"](name)) for name in ("one", "two")]
    assert ids[0]
    assert not set(ids[0]) & set(ids[1])
    svg = CHARTS["weekly"]("one")
    used = set(re.findall(r"url\(#([^)]+)\)", svg)) | set(re.findall(r'xlink:href="#([^"]+)"', svg))
    assert used
    assert used <= set(ids[0])


def test_drawing_leaves_settings_alone() -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    CHARTS["pairs"]("p")
    assert dict(matplotlib.rcParams) == before


def test_a_signal_is_marked() -> None:
    marked, quiet = (ElementTree.fromstring(CHARTS[kind]("b")) for kind in ("band", "quiet band"))
    assert WORDS["signal"] in texts_of(marked)
    assert WORDS["signal"] not in texts_of(quiet)


def test_small_shares_have_no_label() -> None:
    texts = texts_of(ElementTree.fromstring(CHARTS["flow"]("f")))
    assert {"40%", "60%", "96%"} <= set(texts)
    assert "4%" not in texts
