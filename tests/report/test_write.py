"""The page: whole or not at all, in every engine and language, and as a browser sees it."""

from __future__ import annotations

import base64
import io
import os
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import polars as pl
import pytest

import lifestage as ls
from lifestage.core.errors import ConfigError
from lifestage.evaluate import validate
from lifestage.report import summarize_run, write_report

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EVIL = "<script>alert(1)</script>"
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-sync",
    "--no-first-run",
]
TOPICS = [
    "headline",
    "forecast",
    "stages",
    "at-risk",
    "repurchase",
    "groups",
    "value",
    "metrics",
    "validation",
    "fit",
    "quality",
    "reading",
]
BARE = [topic for topic in TOPICS if topic not in ("repurchase", "groups", "validation")]


class Page(HTMLParser):
    """Ids, tags, and links of a page; complains of ids that come twice."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("src", "href", "xlink:href", "action", "data"):
                self.links.append(value or "")


@pytest.fixture(scope="module")
def evil(staged: pd.DataFrame) -> pd.DataFrame:
    """Staged customers, those at risk with ids that would run if they were not escaped, and a channel."""
    ids = staged["customer_id"].astype(str)
    channel = pd.Series(["shop", "<b>web</b>"] * len(staged), name="channel")[
        : len(staged)
    ].to_numpy()
    return staged.assign(customer_id=ids.where(~staged["at_risk"], EVIL + ids), channel=channel)


@pytest.fixture(scope="module")
def run(
    evil: pd.DataFrame, staged: pd.DataFrame, model: ls.LTVModel, customers: ls.Summary
) -> dict[str, Any]:
    before = summarize_run(evil, model)
    validation = validate(ls.datasets.cdnow(), customers, model, {"period": "week"})
    known = summarize_run(staged, model, customers=customers, validation=validation)
    outlook = before["outlook"] | {
        name: known["outlook"][name] for name in ("realised", "schedule")
    }
    return {
        **before,
        "outlook": outlook,
        "trust": known["trust"],
        "previous": before,
        "metric_changes": [],
    }


@pytest.fixture(scope="module")
def pages(
    evil: pd.DataFrame,
    model: ls.LTVModel,
    run: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    for lang in ("en", "zh-Hant", "zh-Hans"):
        title = f"Shop {EVIL}" if lang == "en" else None
        write_report(
            evil,
            model,
            folder / f"{lang}.html",
            lang=lang,
            currency="USD",
            title=title,
            summary=run,
        )
    return folder


def test_page_is_complete_and_needs_nothing_else(pages: Path) -> None:
    text = (pages / "en.html").read_text("utf-8")
    page = Page(text)
    assert [each for each in page.ids if each in TOPICS] == TOPICS
    assert len(page.ids) == len(set(page.ids))
    assert not page.tags & {"script", "iframe", "object", "embed", "img"}
    assert all(
        link.startswith(("#", "data:,", "data:text/csv;charset=utf-8;base64,"))
        for link in page.links
    )
    assert not re.search(r"@import|url\((?!#)", text)
    assert EVIL not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<b>web</b>" not in text
    assert text.rstrip().endswith("</html>")
    assert "nan" not in re.sub(r"<svg.*?</svg>", "", text, flags=re.S).split("<body")[1]
    assert [file.name for file in pages.iterdir() if file.name.startswith(".")] == []


def test_headline_says_the_totals(pages: Path, run: dict[str, Any]) -> None:
    text = (pages / "en.html").read_text("utf-8").replace("\u202f", " ")
    assert f"{run['totals']['ltv']:,.0f} USD" in text
    low, high = (f"{end:,.0f}" for end in run["intervals"]["expected_purchases"])
    assert f"90% interval: {low} to {high}" in text
    assert "4,960 of 6,919 rows" in text


def test_same_run_gives_the_same_page(
    evil: pd.DataFrame, model: ls.LTVModel, run: dict[str, Any], tmp_path: Path
) -> None:
    first = write_report(evil, model, tmp_path / "a.html", summary=run).read_bytes()
    assert (
        write_report(pl.from_pandas(evil), model, tmp_path / "b.html", summary=run).read_bytes()
        == first
    )
    assert (
        write_report(duckdb.from_df(evil), model, tmp_path / "c.html", summary=run).read_bytes()
        == first
    )


def test_nothing_half_written_stays(
    evil: pd.DataFrame,
    model: ls.LTVModel,
    run: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = tmp_path / "report.html"
    target.write_text("before")

    def fail(*_: Any) -> None:
        raise OSError("disk")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fail)
        with pytest.raises(OSError, match="disk"):
            write_report(evil, model, target, summary=run)
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]
    with pytest.raises(ConfigError, match="lang"):
        write_report(evil, model, tmp_path / "new" / "x.html", lang="fr", summary=run)
    assert not (tmp_path / "new").exists()


def test_missing_parts_leave_a_readable_page(
    customers: ls.Summary, model: ls.LTVModel, tmp_path: Path
) -> None:
    bare = replace(
        model,
        spend=None,
        data=replace(model.data, calendar=None, holdout=None, quality=None, until=None),
    )
    staged = ls.assign_stages(bare.predict(replace(customers, until=None), horizon=26))
    text = write_report(staged, bare, tmp_path / "bare.html").read_text("utf-8")
    assert [each for each in Page(text).ids if each in TOPICS] == BARE
    assert "None" not in text
    assert "shows no amounts of money" in text
    assert "fit-track-total" not in text


def test_the_list_of_customers_at_risk_can_be_taken_along(pages: Path, evil: pd.DataFrame) -> None:
    text = (pages / "zh-Hans.html").read_text("utf-8")
    link = next(link for link in Page(text).links if link.startswith("data:text/csv"))
    listed = pd.read_csv(
        io.BytesIO(base64.b64decode(link.split(",", 1)[1])), dtype={"customer_id": str}
    )
    risky = evil[evil["at_risk"]]
    assert set(listed["customer_id"]) == set(risky["customer_id"])
    assert listed["value_lost"].is_monotonic_decreasing
    assert listed["action"].str.len().min() > 0
    assert text.count('class="id"') == 50


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    program = (
        shutil.which("chromium")
        or shutil.which("chromium-browser")
        or shutil.which("google-chrome")
    )
    if program is None:
        pytest.skip("no Chromium is installed")
    api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    with api.sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=program, args=ARGS)
        yield chromium
        chromium.close()


@pytest.mark.parametrize(
    ("lang", "width"), [("en", 1280), ("en", 390), ("zh-Hant", 1280), ("zh-Hant", 390)]
)
def test_in_a_browser(browser: Any, pages: Path, lang: str, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 844})
    noise: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: noise.append(message.text))
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.on("dialog", lambda dialog: (noise.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: requests.append(request.url))
    address = (pages / f"{lang}.html").as_uri()
    page.goto(address)
    assert noise == []
    assert [url for url in requests if not url.startswith("data:")] == [address]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("td.id").first.inner_text().startswith(EVIL)
    charts = page.locator("svg.chart")
    assert charts.count() == 19
    assert all(charts.nth(i).bounding_box()["width"] <= width for i in range(charts.count()))
    heading = page.locator("h2").nth(1)
    assert heading.inner_text() == {"en": "Forecast at a glance", "zh-Hant": "預測總覽"}[lang]
    labels = page.locator("#stages svg text").all_text_contents()
    assert any({"en": "Champion", "zh-Hant": "冠軍"}[lang] in label for label in labels)
    outside = page.evaluate(
        """() => [...document.querySelectorAll("svg.chart")].flatMap(svg => {
            const box = svg.getBoundingClientRect();
            return [...svg.querySelectorAll("text")].filter(text => {
                const r = text.getBoundingClientRect();
                return r.left < box.left - 2 || r.right > box.right + 2 || r.bottom > box.bottom + 2;
            }).map(text => svg.id + ": " + text.textContent);
        })"""
    )
    assert outside == []
    page.close()
