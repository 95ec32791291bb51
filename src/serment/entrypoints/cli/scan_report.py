"""`--report FILE`: the audit as a page or on paper, by the file's ending; of now, or of what was kept.

What it says is `entrypoints.reports`; here it is decided which files are written, and that none is
lost: they are for their owner only, appear when they are whole, and replace nothing unasked.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from serment import __version__
from serment.app.find.history import made_of
from serment.app.find.network import Prepared
from serment.core.exposure.present import as_report
from serment.core.exposure.report import Report
from serment.core.exposure.written import read_ledger
from serment.entrypoints.cli import asking
from serment.entrypoints.cli.files import FORCE, check_free, put
from serment.entrypoints.cli.scan_kept import Kept
from serment.entrypoints.cli.world import Auditing, Context
from serment.entrypoints.desk.request import Request
from serment.entrypoints.reports.head import About, about_kept
from serment.errors import N_, NotFound, UsageError

PAGES = (".html", ".htm")
PAPERS = (".pdf",)


def check_files(paths: Sequence[Path], force: bool) -> None:
    """Raise before the audit begins what would keep its report from being written.

    Raises:
        UsageError: an ending that tells no form.
        Conflict: the file exists, and nobody said --force.
    """
    for path in paths:
        if path.suffix.lower() not in (*PAGES, *PAPERS):
            raise UsageError(
                N_("{path} does not say whether it is to be a page or a document"),
                hint=N_("end its name with .html or .pdf"),
                path=str(path),
            )
        if not force:
            check_free(path, FORCE)


def write_reports(
    context: Context, paths: Sequence[Path], report: Report, about: About, force: bool
) -> None:
    """Each file, in the reader's language."""
    for path in paths:
        put(path, [_made(context, path, report, about)], FORCE, replace=force)
        context.output.note(N_("Report written: {path}"), path=str(path))


def write_kept(context: Context, paths: Sequence[Path], force: bool) -> None:
    """Each file, of how things stand in the vault's history.

    Raises:
        NotFound: no audit was kept.
    """
    told = context.world.ask(asking.vault(context), Request("scan ledger", {}))
    ledger = read_ledger(told["ledger"])
    report = as_report(ledger)
    if report is None:
        raise NotFound(
            N_("nothing was kept of which a report could be made"),
            hint=N_("make an audit first: serment scan network"),
        )
    auditing = context.world.auditing()
    today = auditing.clock.now().astimezone().date()
    about = about_kept(str(told["practice"]), ledger, auditing.flaws, today, __version__)
    write_reports(context, paths, report, about, force)


def about_audit(
    auditing: Auditing,
    prepared: Prepared,
    report: Report,
    kept: Kept,
    practice: str,
) -> About:
    """What the head of an audit's report says beside the audit, `practice` before the vault's name."""
    return About(
        practice or kept.practice,
        made_of(prepared, report).looked.networks,
        auditing.flaws,
        kept.since or {},
        kept.accepted or {},
        __version__,
    )


def _made(context: Context, path: Path, report: Report, about: About) -> bytes:
    """Each form is loaded when it is asked for: both are slow to import."""
    lang = context.output.lang
    if path.suffix.lower() in PAGES:
        from serment.entrypoints.reports.page import page

        return page(report, about, lang)
    from serment.entrypoints.reports.paper import paper

    return paper(context.world.typesetter(), report, about, lang)
