"""What a run prints at its end: what was read, how the fit went, what is expected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from lifestage.report.words.translator import Translator

__all__ = ["print_summary"]

type Row = tuple[str, str]


def print_summary(summary: Mapping[str, Any], out: Path) -> None:
    """Print the contents of ``summary.json`` as a short table, then notes and the files."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from lifestage.report.words.translator import translator

    console, t = Console(), translator("en", summary.get("currency") or "")
    table = Table(show_header=False, box=None, pad_edge=False)
    for part in (_order_lines, _forecasts, _stages, _backtest):
        for label, text in part(summary, t):
            table.add_row(label, text)
    console.print(table)
    for text in _notes(summary):
        console.print(f"[yellow]•[/yellow] {escape(text)}")
    files = "report.html, customers.parquet, stages.csv, summary.json, model/"
    console.print(f"Written to [bold]{escape(str(out))}[/bold]: {files}")


def _order_lines(summary: Mapping[str, Any], t: Translator) -> Iterator[Row]:
    quality, data = summary["quality"], summary["data"]
    if quality:
        by_reason = quality["dropped"]
        read, used = t.integer(quality["rows_read"]), t.integer(quality["rows_used"])
        dropped = t.integer(sum(by_reason.values()))
        yield "Order lines", f"{read} read, {used} used, {dropped} dropped"
        for reason in sorted(by_reason, key=lambda name: -by_reason[name]):
            count = t.integer(by_reason[reason])
            yield "", f"[dim]{count} {reason.replace('_', ' ')}[/dim]"
    repeaters = f"{t.integer(data['repeaters'])} of them bought again"
    customers = t.integer(data["customers"])
    yield "Customers", f"{customers}, {repeaters}, observed until {data['until']}"


def _forecasts(summary: Mapping[str, Any], t: Translator) -> Iterator[Row]:
    from rich.markup import escape

    totals, terms = summary["totals"], summary["terms"]
    level = t.percent(terms["level"])
    horizon = f"in the next {t.periods(terms['horizon'], summary['data']['period'])}"

    def money(value: float | None) -> str:
        return escape(t.money(value))

    def with_interval(name: str, show: Callable[[float], str]) -> str:
        low, high = summary["intervals"][name]
        interval = f"[dim]{level} interval {show(low)} – {show(high)}[/dim]"
        return f"{show(totals[name])}   {interval}"

    yield f"Purchases {horizon}", with_interval("expected_purchases", t.integer)
    if totals.get("ltv") is not None:
        yield f"Revenue {horizon}", with_interval("expected_revenue", money)
        yield "LTV (discounted margin)", with_interval("ltv", money)
    risk = summary["at_risk"]
    text = t.customers(risk["customers"])
    if risk.get("value_lost") is not None:
        text += f", {money(risk['value_lost'])} at stake"
    yield "At risk", text


def _stages(summary: Mapping[str, Any], t: Translator) -> Iterator[Row]:
    counts = []
    for key, count in summary["stages"]["line"].items():
        if count:
            counts.append(f"{key.replace('_', ' ')} {t.integer(count)}")
    yield "Stages", ", ".join(counts)
    shares, days = [], None
    for row in summary["outlook"]["realised"]:
        if row["taxonomy"] == "line":
            days = row["window_days"]
            shares.append(f"{row['stage'].replace('_', ' ')} {t.percent(row['repurchased'])}")
    if shares:
        yield f"Bought within {t.days(days)} after", ", ".join(shares)


def _backtest(summary: Mapping[str, Any], t: Translator) -> Iterator[Row]:
    from rich.markup import escape

    backtest = (summary["trust"] or {}).get("backtest")
    if backtest:
        grades = [f"{escape(name)}: {grade}" for name, grade in backtest["grades"].items()]
        horizon = t.periods(round(backtest["horizon"]), summary["data"]["period"])
        yield f"Backtest over {horizon}", f"{'; '.join(grades)} than the best simple baseline"


def _notes(summary: Mapping[str, Any]) -> list[str]:
    quality = summary["quality"] or {}
    sentences = [note["text"] for note in quality.get("notes", [])]
    for name, part in summary["fit"].items():
        if not part["converged"]:
            sentences.append(f"The fit of {name} did not converge.")
        sentences += [note["text"] for note in part["notes"]]
    return sentences
