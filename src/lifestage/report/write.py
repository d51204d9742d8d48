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
from lifestage.report.page.blocks import Block, Run, horizon_text
from lifestage.report.sections import sections
from lifestage.report.words.format import day
from lifestage.report.words.translator import translator

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from lifestage.data.customers.summary import Summary
    from lifestage.evaluate import ValidationResult
    from lifestage.lifecycle.stages.playbook import Playbook
    from lifestage.lifecycle.stages.thresholds import Thresholds
    from lifestage.model import LTVModel
    from lifestage.report.words.translator import Translator

__all__ = ["write_report"]

TEMPLATES = Path(__file__).parent / "page" / "templates"

MAX_DOWNLOADED = 2000
"""Customers at risk in the file that the page holds."""

DOWNLOADED = (
    CUSTOMER,
    "value_lost",
    "ltv",
    "p_purchase",
    "days_silent",
    "value_segment",
    "at_risk_reason",
)
"""Columns of that file, as far as the table has them."""


def write_report(  # noqa: PLR0913
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
    validation: ValidationResult | None = None,
    thresholds: Thresholds | None = None,
    top: int = 50,
    summary: Mapping[str, Any] | None = None,
    playbook: str | os.PathLike[str] | Playbook | None = None,
) -> Path:
    """Write the report of a run as one HTML file that needs nothing else: no network, no script.

    The file is written beside its place and moved there at the end, so a report is either complete
    or the older one stays.

    Parameters
    ----------
    staged : frame
        What :func:`lifestage.assign_stages` returned; pandas, polars, pyarrow or a DuckDB relation,
        one row per customer.
    model : LTVModel
        The model that scored them.
    path : str or path
        Where to write; its folder is made if need be, an older file is replaced.
    lang : {"en", "zh-Hans", "zh-Hant"}
        Language of the texts and of the numbers.
    currency : str
        Symbol or code written beside amounts, such as ``"$"`` or ``"EUR"``; nothing is converted.
    title : str, optional
        In place of the report's own title.
    previous : mapping, optional
        The result of :func:`lifestage.report.summarize_run` for an earlier run, to compare with.
    cac : float, optional
        Acquisition cost per customer, money.
    customers : Summary, optional
        What *staged* was made from; with it the report shows when customers buy again, and what
        the stages did after the last day of observation.
    validation : ValidationResult, optional
        What :func:`lifestage.evaluate.validate` returned, or a ``ValidationResult`` of your own
        backtest and drift.
    thresholds : Thresholds, optional
        Those of :func:`lifestage.assign_stages`, for the forecast of the stages.
    top : int
        Length of the list of customers at risk; the page also holds the first 2,000 as a CSV file.
    summary : mapping, optional
        The result of ``summarize_run`` for this run; it is computed if left out.
    playbook : path or Playbook, optional
        That of :func:`lifestage.assign_stages`: texts and taxonomies of your own.

    Returns
    -------
    pathlib.Path
        Of the file.

    Raises
    ------
    ConfigError
        If there is no such language.
    DataError
        If *staged* is not a staged table.

    Examples
    --------
    >>> import lifestage as ls, tempfile, pathlib
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> model = ls.fit(customers)
    >>> staged = ls.assign_stages(model.predict(customers, horizon=52))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "report.html"
    ...     ls.write_report(staged, model, path, currency="USD").name
    'report.html'
    """
    target = local_path(path)
    t = translator(lang, currency)
    with step(__name__, "Adding up the report"):
        run = summary or summarize_run(
            staged,
            model,
            currency=currency,
            previous=previous,
            cac=cac,
            customers=customers,
            validation=validation,
            thresholds=thresholds,
            playbook=playbook,
        )
    listed = _at_risk(staged, t, max(top, MAX_DOWNLOADED))
    stages = records(stage_table(staged, lang=lang, playbook=playbook))
    text = render(sections(run, stages, listed, t, top), run, t, title)
    with staging_file(target, private=True) as staging:
        staging.write_text(text, "utf-8")
    return target


def render(
    topics: list[Block],
    run: Run,
    t: Translator,
    title: str | None,
) -> str:
    """The page as text."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    horizon, until = horizon_text(run, t), run["data"]["until"]
    if until:
        subtitle = t("page.subtitle", until=day(until), horizon=horizon)
    else:
        subtitle = t("page.subtitle_undated", horizon=horizon)
    created, version = str(run["created"])[:10], run["versions"]["lifestage"]
    return environment.get_template("report.html.j2").render(
        lang=t.lang,
        title=title or t("page.title"),
        subtitle=subtitle,
        contents=t("page.contents"),
        made=t("page.made", created=created, version=version),
        css=Markup((TEMPLATES / "report.css").read_text("utf-8")),
        sections=topics,
    )


def _at_risk(staged: Any, t: Translator, top: int) -> list[dict[str, Any]]:
    """The customers at risk with ids as the very text of the data and reasons in the language."""
    frame, _ = lazy(at_risk_list(staged, top))
    frame = frame.with_columns(reason(t.lang).alias("at_risk_reason"))
    names = frame.collect_schema().names()
    columns = [nw.col(name) for name in DOWNLOADED if name in names]
    return records(to_pandas(frame.select(*columns)))
