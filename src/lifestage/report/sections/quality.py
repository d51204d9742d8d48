"""The section on data quality: rows read, rows used, and rows dropped by reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifestage.report.page import blocks
from lifestage.report.page.blocks import Block, share_text

if TYPE_CHECKING:
    from lifestage.report.sections import Run
    from lifestage.report.words.translator import Translator


def quality_section(run: Run, say: Translator) -> Block:
    found = run["quality"]
    read, used = found["rows_read"], found["rows_used"]
    lead, parts = [say.say("quality_none")], []
    if read is not None:
        dropped = sum(found["dropped"].values())
        counts = {
            "read": say.integer(read),
            "used": say.integer(used),
            "dropped": say.integer(dropped),
        }
        lead = [
            say.say(
                "quality_lead" if dropped else "quality_all_used",
                share=share_text(used, read, say),
                **counts,
            )
        ]
        rows = [(say.say("rows_read"), read), (say.say("rows_used"), used)]
        for kind in ("dropped", "merged", "found"):
            named = sorted(found[kind].items(), key=lambda item: -item[1])
            rows += [
                (say.say(kind, reason=say.reason(key)), count) for key, count in named if count
            ]
        head = [(say.say("outcome"), "name"), (say.say("rows"), "num"), (say.say("share"), "num")]
        cells = [[label, say.integer(count), share_text(count, read, say)] for label, count in rows]
        parts.append(blocks.table(head, cells, narrow=True))
        warned = [("warn", say.note(note)) for note in found["notes"]] or [
            ("good", say.say("no_warnings"))
        ]
        parts.append(blocks.notes(say.say("warnings"), warned))
    elif found["notes"]:
        parts.append(
            blocks.notes(say.say("warnings"), [("warn", say.note(note)) for note in found["notes"]])
        )
    return blocks.section("quality", say.say("nav_quality"), say.say("quality"), lead, parts)
