"""Command `scan host`: how this workstation is kept, check by check, for a doctor or a program."""

from __future__ import annotations

import shutil
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from serment.core.exposure.posture.verdict import Result
from serment.core.exposure.text import clean
from serment.entrypoints.cli.files import check_free, check_writable
from serment.entrypoints.cli.output import DONE, FINDINGS, Output
from serment.entrypoints.cli.terminal import show_headline
from serment.entrypoints.cli.world import Context
from serment.errors import N_

if TYPE_CHECKING:
    from serment.core.exposure.posture.registry import Answer

WORDS: Final = {"fail": N_("to correct"), "unknown": N_("not known"), "pass": N_("good")}
TONES: Final = {"fail": "bad", "unknown": "warn", "pass": "good"}
LINE_LIMIT: Final = 600  # characters
UNTRIED: Final = N_("untried on this system; read without certainty: {said}")
YOURSELF: Final = N_("Look at it yourself. {remedy}")
RULE: Final = N_("GDPR Art. {article}, commandment {commandment}, CNIL sheets {sheets}")
WIDEST = 100


HELP: Final = N_("How this machine is kept: disks, screen, firewall, updates, backup ...")


def host(
    ctx: typer.Context,
    record: Annotated[
        Path | None,
        typer.Option(help=N_("also write what the machine said to FILE, for a developer")),
    ] = None,
) -> int:
    context: Context = ctx.obj
    if record is not None:
        check_free(record, N_("choose another name"))
        check_writable(record)
    answers = context.world.examine_host(record)
    out = context.output
    rows = [row(out, each) for each in answers]
    out.value({"checks": rows})
    if not out.as_json:
        show(out, rows)
    return FINDINGS if any(each["result"] == "fail" for each in rows) else DONE


def row(out: Output, answer: Answer) -> dict[str, Any]:
    """One check in the reader's language; what the machine said is one printable line of it."""
    check, verdict = answer.check, answer.verdict
    evidence = out.text(verdict.evidence, **verdict.values)
    if verdict.untried:
        evidence = out.text(UNTRIED, said=evidence)
    remedy = out.text(answer.remedy) if answer.remedy else ""
    if verdict.result is Result.UNKNOWN:
        remedy = out.text(YOURSELF, remedy=remedy)
    return {
        "id": check.id,
        "result": verdict.result.value,
        "evidence": clean(evidence, LINE_LIMIT),
        "remedy": clean(remedy, LINE_LIMIT),
        "title": out.text(check.title),
        "article": check.article,
        "commandment": check.commandment,
        "sheets": list(check.sheets),
    }


def show(out: Output, rows: list[dict[str, Any]]) -> None:
    """What to correct first, then what is not known, then what is good."""
    for result, word in WORDS.items():
        for each in rows:
            if each["result"] == result:
                show_one(out, out.text(word), each)
    count = {result: sum(each["result"] == result for each in rows) for result in WORDS}
    out.line(
        N_("{bad} to correct, {unknown} not known, {good} good"),
        bad=count["fail"],
        unknown=count["unknown"],
        good=count["pass"],
    )


def show_one(out: Output, word: str, each: dict[str, Any]) -> None:
    show_headline(out, each["id"], TONES[each["result"]], word.upper(), each["title"])
    paragraph(out, each["evidence"], "     ")
    if each["remedy"]:
        paragraph(out, each["remedy"], "  -> ")
        sheets = ", ".join(map(str, each["sheets"]))
        rule = {"article": each["article"], "commandment": each["commandment"], "sheets": sheets}
        paragraph(out, out.text(RULE, **rule), "     ")
    out.line()


def paragraph(out: Output, text: str, first: str) -> None:
    width = min(WIDEST, shutil.get_terminal_size((WIDEST, 24)).columns)
    for line in textwrap.wrap(
        text, max(40, width), initial_indent=first, subsequent_indent="     "
    ):
        out.plain(line)
