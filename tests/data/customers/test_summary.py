"""Records show themselves in a notebook, escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifestage.core.notes import Note
from lifestage.data.log.quality import Quality

if TYPE_CHECKING:
    import lifestage as ls


def test_records_have_html(customers: ls.Summary, model: ls.LTVModel) -> None:
    assert "2,357" in customers._repr_html_()
    assert customers.quality is not None
    html = customers.quality._repr_html_()
    assert "6,919" in html
    assert "1,959" in html
    assert "alpha" in model.purchases._repr_html_()


def test_notes_are_escaped() -> None:
    html = Quality(1, 1, notes=(Note("x", "<script>alert(1)</script>"),))._repr_html_()
    assert "<script>" not in html
