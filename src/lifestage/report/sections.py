"""What the report says: each topic turns a part of the run's dict into sentences, charts and tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from lifestage.data.plain_csv import plain_text
from lifestage.report import blocks
from lifestage.report.blocks import Block
from lifestage.report.fit_section import fit_section, holdout_means
from lifestage.report.format import day
from lifestage.report.metrics_section import metrics_section
from lifestage.report.outlook_section import forecast_section, group_section, realised_block, schedule_section
from lifestage.report.stage_section import stage_section
from lifestage.report.texts import Voice, tight
from lifestage.report.trust_section import trust_section

__all__ = ["sections"]

WORTH_SAYING = 0.1
"""A forecast that missed the holdout by this share is told beside the headline."""

Run = Mapping[str, Any]
Rows = Sequence[Mapping[str, Any]]


def sections(run: Run, stages: Rows, at_risk: Rows, say: Voice, top: int) -> list[Block]:
    """All topics in reading order; the page shows the *top* of those at risk and holds the whole list."""
    standing = stage_section(run, stages, say)
    standing["blocks"] += realised_block(run, say)
    found = [
        _headline(run, say),
        forecast_section(run, say),
        standing,
        _risk(run, at_risk, stages, say, top),
        schedule_section(run, say),
        group_section(run, say),
        _value(run, say),
        metrics_section(run, say),
        trust_section(run, say),
        fit_section(run, say),
        _quality(run, say),
        _reading(run, say),
    ]
    return [each for each in found if each is not None]


def _horizon(run: Run, say: Voice) -> str:
    return say.periods(run["terms"]["horizon"], run["data"]["period"])


def _share(part: float | None, whole: float | None, say: Voice) -> str:
    return say.percent(part / whole if part is not None and whole else None)


def _headline(run: Run, say: Voice) -> Block:
    data, totals, terms = run["data"], run["totals"], run["terms"]
    horizon, level, money = _horizon(run, say), say.percent(terms["level"]), say.money
    rich = totals["ltv"] is not None

    def ends(name: str, write: Any) -> dict[str, str]:
        low, high = run["intervals"].get(name, (None, None))
        return {"low": (money.start if write is money else write)(low), "high": write(high)}

    purchases = ends("expected_purchases", say.integer)
    values = {
        "horizon": horizon,
        "level": level,
        "customers": say.integer(data["customers"]),
        "purchases": say.integer(totals["expected_purchases"]),
        "purchases_low": purchases["low"],
        "purchases_high": purchases["high"],
    }
    shown = [("purchases", "expected_purchases", say.integer(totals["expected_purchases"]), purchases)]
    if rich:
        for short, name in (("revenue", "expected_revenue"), ("ltv", "ltv")):
            found = ends(name, money)
            values |= {short: money(totals[name]), f"{short}_low": found["low"], f"{short}_high": found["high"]}
            shown.append((short, name, money(totals[name]), found))
        values |= {"margin": say.percent(terms["margin"]), "rate": say.percent(terms["discount_rate"])}
    lead = [say.say("headline_lead" if rich else "headline_lead_no_money", **values)]
    main = [
        (
            say.say(f"card_{short}"),
            figure,
            say.say("interval", level=level, **found),
            say.say(f"card_{short}_note", horizon=horizon),
            True,
        )
        for short, _, figure, found in shown
    ]
    risk, about = run["at_risk"], "card_at_risk_note"
    others = [
        (
            say.say("card_customers"),
            say.integer(data["customers"]),
            "",
            say.say(
                "card_customers_note",
                repeaters=say.integer(data["repeaters"]),
                share=_share(data["repeaters"], data["customers"], say),
                orders=say.integer(data["orders"]),
            ),
            False,
        ),
        (
            say.say("card_at_risk"),
            say.integer(risk["customers"]),
            "",
            say.say(about, lost=money(risk["value_lost"])) if rich else say.say(f"{about}_no_money"),
            False,
        ),
        (
            say.say("card_cannot_lose"),
            say.integer(run["cannot_lose"]["customers"]),
            "",
            say.say("card_cannot_lose_note"),
            False,
        ),
    ]
    warned = [("bad", say.say("not_converged", part=say.name("part", name))) for name in _failed(run)]
    warned += [("warn", say.say("interval_unreliable"))] if run["interval_note"] else []
    expected, actual = holdout_means(run) or (0.0, 0.0)
    if actual and abs(expected / actual - 1) >= WORTH_SAYING:
        warned.append(("warn", say.say("headline_holdout", gap=say.gap(expected, actual), until=day(data["until"]))))
    parts = [blocks.cards(*main), blocks.cards(*others)]
    parts += [blocks.notes("", warned)] if warned else []
    parts += [_since(run, say)] if run["previous"] else []
    parts.append(blocks.text(say.say("band_narrow")))
    return blocks.section("forecast", say.say("nav_headline"), say.say("headline"), lead, parts)


def _failed(run: Run) -> list[str]:
    return [name for name, part in run["fit"].items() if not part["converged"]]


def _since(run: Run, say: Voice) -> Block:
    """The headline numbers beside those of the run before."""
    before, rows = run["previous"], []
    pairs = (
        ("card_customers", "data", "customers", say.integer),
        ("card_purchases", "totals", "expected_purchases", say.integer),
        ("card_revenue", "totals", "expected_revenue", say.money),
        ("card_ltv", "totals", "ltv", say.money),
        ("card_at_risk", "at_risk", "customers", say.integer),
    )
    for label, part, name, write in pairs:
        old, new = (before.get(part) or {}).get(name), run[part][name]
        if old is not None and new is not None:
            rows.append([say.say(label), write(old), write(new), say.signed_percent(new / old - 1 if old else None)])
    until = (before.get("data") or {}).get("until")
    head = [(say.say("metric"), "name"), (day(until) if until else day(before.get("created")), "num")]
    head += [(day(run["data"]["until"]) if until else day(run["created"]), "num"), (say.say("change"), "num")]
    return blocks.table(head, rows, heading=say.say("change"), narrow=True)


def _quality(run: Run, say: Voice) -> Block:
    found = run["quality"]
    read, used = found["rows_read"], found["rows_used"]
    lead, parts = [say.say("quality_none")], []
    if read is not None:
        dropped = sum(found["dropped"].values())
        counts = {"read": say.integer(read), "used": say.integer(used), "dropped": say.integer(dropped)}
        lead = [say.say("quality_lead" if dropped else "quality_all_used", share=_share(used, read, say), **counts)]
        rows = [(say.say("rows_read"), read), (say.say("rows_used"), used)]
        for kind in ("dropped", "merged", "found"):
            named = sorted(found[kind].items(), key=lambda item: -item[1])
            rows += [(say.say(kind, reason=say.reason(key)), count) for key, count in named if count]
        head = [(say.say("outcome"), "name"), (say.say("rows"), "num"), (say.say("share"), "num")]
        cells = [[label, say.integer(count), _share(count, read, say)] for label, count in rows]
        parts.append(blocks.table(head, cells, narrow=True))
        warned = [("warn", say.note(note)) for note in found["notes"]] or [("good", say.say("no_warnings"))]
        parts.append(blocks.notes(say.say("warnings"), warned))
    elif found["notes"]:
        parts.append(blocks.notes(say.say("warnings"), [("warn", say.note(note)) for note in found["notes"]]))
    return blocks.section("quality", say.say("nav_quality"), say.say("quality"), lead, parts)


def _risk(run: Run, rows: Rows, stages: Rows, say: Voice, top: int) -> Block:
    risk, customers = run["at_risk"], run["data"]["customers"]
    rich, count = risk["value_lost"] is not None, risk["customers"]
    share = _share(count, customers, say)
    lead = [say.say("risk_none")]
    if count:
        values = {"count": say.integer(count), "share": share}
        money = {"lost": say.money(risk["value_lost"]), "ltv": say.money(risk["ltv"])} if rich else {}
        lead = [say.say("risk_lead" if rich else "risk_lead_no_money", count, **values, **money)]
    ahead = run["outlook"]["at_risk"]
    if ahead is not None and rich:
        ends = {"low": say.money.start(ahead["revenue_low"]), "high": say.money(ahead["revenue_high"])}
        about = {"horizon": _horizon(run, say), "level": say.percent(run["terms"]["level"])}
        lead.append(say.say("risk_revenue", revenue=say.money(ahead["revenue"]), **ends, **about))
    kept = run["cannot_lose"]["customers"]
    lead.append(say.say("risk_cannot_lose", kept, count=say.integer(kept)))
    parts: list[Block] = []
    if rows:
        labels = {row["stage"]: row["label"] for row in stages if row["taxonomy"] == "segment"}
        head = [(say.say("customer"), "id")]
        head += [(say.say("value_lost"), "num")] if rich else []
        head += [(say.say("why"), "long")]
        head += [(say.say("ltv"), "num")] if rich else []
        head += [(say.say("p_purchase"), "num"), (say.say("taxonomy_segment_column"), "name")]
        cells = [
            [
                str(row["customer_id"]),
                *([say.money(row["value_lost"])] if rich else []),
                tight(str(row["at_risk_reason"] or "")),
                *([say.money(row["ltv"])] if rich else []),
                say.percent(row["p_purchase"]),
                str(labels.get(row["stage_segment"], row["stage_segment"])),
            ]
            for row in rows[:top]
        ]
        shown = min(top, len(rows))
        sentence = say.say("risk_list", shown, shown=say.integer(shown)) + say.say("gap") + say.say("risk_caution")
        parts.append(blocks.table(head, cells, sentence=sentence, tall=True))
        label = say.say("contact_list", len(rows), count=say.integer(len(rows)))
        parts.append(blocks.download("customers-at-risk.csv", label, _csv(rows, stages)))
    return blocks.section("at-risk", say.say("nav_risk"), say.say("risk"), lead, parts)


def _csv(rows: Rows, stages: Rows) -> str:
    """The list of customers at risk with the advice of their segment, as a spreadsheet reads it."""
    out = io.StringIO()
    actions = {row["stage"]: row["actions"] for row in stages if row["taxonomy"] == "segment"}
    writer = csv.writer(out)
    writer.writerow([*map(plain_text, rows[0]), "action"])
    for row in rows:
        texts = ["" if value is None else value for value in row.values()]
        writer.writerow(map(plain_text, [*texts, actions.get(row["stage_segment"], "")]))
    return out.getvalue()


def _value(run: Run, say: Voice) -> Block:
    from lifestage.report import figures

    found, nav, title = run["ltv_distribution"], say.say("nav_value"), say.say("value")
    if found is None:
        return blocks.section("value", nav, title, [say.say("value_none")], [])
    held, at, money = found["concentration"], found["quantiles"], say.money
    lead = say.say(
        "value_lead",
        top10=say.percent(held["0.1"]),
        top20=say.percent(held["0.2"]),
        median=money(at["0.5"]),
        mean=money(found["mean"]),
    )
    bars, parts = found["histogram"], []
    closed = bars[-1]["high"] is not None
    key = "value_histogram_lead_closed" if closed else "value_histogram_lead"
    about = say.say(key, p90=money(at["0.9"]), **({} if closed else {"end": money(bars[-1]["low"])}))
    about += say.say("gap") + say.say("bands_widen") if found["bands"] == "widening" else ""
    heading = say.say("value_histogram")
    unit = f" ({say.money.currency})" if say.money.currency else ""
    words = {"lang": say.lang, "title": f"{heading}. {about}", "x": say.say("value_x") + unit, "y": say.say("value_y")}
    pictures = [blocks.chart(heading, about, figures.histogram("value-histogram", bars, words))]
    if held["0.1"] is not None:
        heading = say.say("concentration")
        about = say.say("concentration_lead", top1=say.percent(held["0.01"]), top5=say.percent(held["0.05"]))
        words = {
            "lang": say.lang,
            "title": f"{heading}. {about}",
            "x": say.say("concentration_x"),
            "y": say.say("concentration_y"),
        }
        svg = figures.concentration("value-concentration", found["curve"], words)
        pictures.append(blocks.chart(heading, about, svg))
    parts.append(blocks.charts(*pictures))
    head = [(say.say("quantile"), "name"), *((say.percent(float(q), 0), "num") for q in at)]
    parts.append(blocks.table(head, [[say.say("ltv_each"), *(money(value) for value in at.values())]]))
    return blocks.section("value", nav, title, [lead], parts)


def _reading(run: Run, say: Voice) -> Block:
    terms, horizon = run["terms"], _horizon(run, say)
    window, level = say.days(terms["stage_window_days"]), say.percent(terms["level"])
    rich = run["totals"]["ltv"] is not None
    margin, rate = say.percent(terms["margin"]), say.percent(terms["discount_rate"])
    value = say.say("reading_value", margin=margin, horizon=horizon, rate=rate)
    texts = [
        say.say("reading_alive"),
        say.say("reading_purchase", horizon=horizon, window=window),
        say.say("reading_interval", level=level),
        *([value, say.say("reading_lost")] if rich else []),
        say.say("reading_value_no_money"),
        say.say("reading_model"),
    ]
    conditions = [
        (say.say("term_until"), day(run["data"]["until"])),
        (say.say("term_horizon"), horizon),
        (say.say("term_window"), window),
        (say.say("term_level"), level),
        *([(say.say("term_discount"), rate), (say.say("term_margin"), margin)] if rich else []),
    ]
    versions = [(name, str(version)) for name, version in run["versions"].items() if version]
    parts = [{"type": "list", "texts": texts}, blocks.facts(say.say("terms"), conditions)]
    parts.append(blocks.facts(say.say("versions"), versions))
    return blocks.section("reading", say.say("nav_reading"), say.say("reading"), [], parts)
