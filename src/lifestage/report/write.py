"""The report as one HTML file that needs nothing else: no network, no script, no font."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import narwhals as nw

from lifestage.core.addresses import local_path
from lifestage.core.files import staging_file
from lifestage.core.names import CUSTOMER
from lifestage.core.plain import records
from lifestage.core.steps import step
from lifestage.data.engines.frames import lazy, to_pandas
from lifestage.lifecycle import at_risk_list, stage_table
from lifestage.lifecycle.stages.flags import reason
from lifestage.report.facts.summary import summarize_run
from lifestage.report.sections import sections
from lifestage.report.words.format import day
from lifestage.report.words.translator import Translator, voice

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from lifestage.data.customers.summary import Summary
    from lifestage.evaluate import ValidationResult
    from lifestage.lifecycle.stages.playbook import Playbook
    from lifestage.lifecycle.stages.thresholds import Thresholds
    from lifestage.model import LTVModel

__all__ = ["write_report"]

TEMPLATES = Path(__file__).parent / "templates"
LISTED = 2000
"""Customers at risk that the page holds to be downloaded."""

AT_RISK = (
    CUSTOMER,
    "value_lost",
    "ltv",
    "p_purchase",
    "days_silent",
    "value_segment",
    "at_risk_reason",
)


def write_report(
    staged: Any,
    model: LTVModel,
    path: str | os.PathLike[str],
    *,
    lang: str = "en",
    currency: str = "",
    title: str | None = None,
    previous: Mapping[str, Any] | None = None,
    cac: float | None = None,
    customers: Summary | None = None,
    trust: ValidationResult | None = None,
    thresholds: Thresholds | None = None,
    top: int = 50,
    summary: Mapping[str, Any] | None = None,
    playbook: str | os.PathLike[str] | Playbook | None = None,
) -> Path:
    """Write the report of a run as a self-contained HTML file, whole or not at all.

    Parameters
    ----------
    staged : frame
        What :func:`lifestage.assign_stages` returned; pandas, polars, pyarrow or a DuckDB relation.
    model : LTVModel
        The model that scored it.
    path : path of the file; its folder is made if need be, an older file is replaced.
    lang : {"en", "zh-Hant", "zh-Hans"}
    currency : str
        Name or symbol written beside amounts.
    title : str, optional
    previous : mapping, optional
        The result of :func:`lifestage.report.summarize_run` for an earlier run, to compare with.
    cac : float, optional
        Acquisition cost a customer, money.
    customers : Summary, optional
        What *staged* was made from, for what came after its last day and when buyers are back.
    trust : ValidationResult, optional
        What :func:`lifestage.evaluate.validate` found, or ``ValidationResult`` of a backtest and a drift of
        your own.
    thresholds : Thresholds, optional
        Those of :func:`lifestage.assign_stages`, for what is ahead of the stages.
    top : int
        Length of the list of customers at risk; the page also holds a file of the first 2,000.
    summary : mapping, optional
        The result of ``summarize_run`` for this run, where it is at hand already.
    playbook : path or Playbook, optional
        That of :func:`lifestage.assign_stages`: texts and taxonomies of your own.

    Returns
    -------
    Path
        Of the file.

    Raises
    ------
    ConfigError
        If the language is unknown.
    DataError
        If *staged* is not a staged table.

    Examples
    --------
    >>> import lifestage as ls, tempfile, pathlib
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> model = ls.fit(customers)
    >>> staged = ls.assign_stages(model.predict(customers, horizon=52))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     ls.write_report(staged, model, pathlib.Path(folder) / "report.html", currency="USD").name
    'report.html'
    """
    target = local_path(path)
    speaker = voice(lang, currency)
    known: dict[str, Any] = {
        "previous": previous,
        "cac": cac,
        "customers": customers,
        "trust": trust,
    }
    known["thresholds"] = thresholds
    with step(__name__, "Adding up the report"):
        run = summary or summarize_run(staged, model, currency=currency, **known)
    listed = _at_risk(staged, speaker, max(top, LISTED))
    stages = records(stage_table(staged, lang=lang, playbook=playbook))
    text = render(run, stages, listed, speaker, title, top)
    with staging_file(target, private=True) as staging:
        staging.write_text(text, "utf-8")
    return target


def render(
    run: Mapping[str, Any],
    stages: list[dict[str, Any]],
    at_risk: list[dict[str, Any]],
    say: Translator,
    title: str | None,
    top: int,
) -> str:
    """The page as text, from what :func:`summarize_run`, ``stage_table`` and ``at_risk_list`` found."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    horizon = say.periods(run["terms"]["horizon"], run["data"]["period"])
    until = run["data"]["until"]
    return environment.get_template("report.html.j2").render(
        lang=say.lang,
        title=title or say.say("title"),
        subtitle=say.say(
            "subtitle" if until else "subtitle_undated", until=day(until), horizon=horizon
        ),
        contents=say.say("contents"),
        made=say.say(
            "made", created=str(run["created"])[:10], version=run["versions"]["lifestage"]
        ),
        css=Markup((TEMPLATES / "report.css").read_text("utf-8")),
        sections=sections(run, stages, at_risk, say, top),
    )


def _at_risk(staged: Any, say: Translator, top: int) -> list[dict[str, Any]]:
    """The head of the list of customers at risk, with ids as the very text of the data and reasons in the language."""
    frame, _ = lazy(at_risk_list(staged, top))
    frame = frame.with_columns(reason(say.lang).alias("at_risk_reason"))
    names = frame.collect_schema().names()
    return records(to_pandas(frame.select(*[nw.col(name) for name in AT_RISK if name in names])))
