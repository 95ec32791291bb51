"""The report of how things stand, as files to take out: a page, a document, two forms for programs.

Each form is loaded when it is asked for: they are slow to import. What they say is
`entrypoints.reports` and `core.exposure`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from serment import __version__
from serment.core.exposure.history import Ledger
from serment.core.exposure.present import as_report
from serment.core.exposure.products import Flaw
from serment.core.exposure.report import Report, as_json
from serment.core.exposure.sarif import as_sarif
from serment.entrypoints.reports.handout import saying
from serment.entrypoints.reports.head import About, about_kept
from serment.entrypoints.web.practice.visit import Visit
from serment.entrypoints.web.views import AuditFile
from serment.errors import N_, NotFound
from serment.ports import Typesetter

Writer = Callable[[Typesetter, Report, About, str], bytes]


def _page(typesetter: Typesetter, report: Report, about: About, lang: str) -> bytes:
    from serment.entrypoints.reports.page import page

    return page(report, about, lang)


def _paper(typesetter: Typesetter, report: Report, about: About, lang: str) -> bytes:
    from serment.entrypoints.reports.paper import paper

    return paper(typesetter, report, about, lang)


def _json(typesetter: Typesetter, report: Report, about: About, lang: str) -> bytes:
    return _dumped(as_json(report, saying(lang)))


def _sarif(typesetter: Typesetter, report: Report, about: About, lang: str) -> bytes:
    return _dumped(as_sarif(report, saying(lang), __version__, lang))


def _dumped(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode()


FORMS: Mapping[str, tuple[Writer, str]] = {
    "pdf": (_paper, "application/pdf"),
    "html": (_page, "text/html; charset=utf-8"),
    "json": (_json, "application/json"),
    "sarif": (_sarif, "application/sarif+json"),
}


def handout(
    visit: Visit,
    ledger: Ledger,
    typesetter: Typesetter,
    flaws: tuple[Flaw, ...],
    kind: str,
    lang: str,
) -> AuditFile:
    """One of the forms, of how things stand.

    Raises:
        NotFound: there is no such form, or no audit was made yet.
    """
    report = as_report(ledger)
    if kind not in FORMS or report is None:
        raise NotFound(N_("no audit was made yet"), hint=N_("begin one on the page Exposure"))
    write, media = FORMS[kind]
    content = write(typesetter, report, _about(visit, ledger, flaws), lang)
    return AuditFile(content, media, f"serment-exposure-{report.at.date().isoformat()}.{kind}")


def _about(visit: Visit, ledger: Ledger, flaws: tuple[Flaw, ...]) -> About:
    today = visit.now.astimezone().date()
    return about_kept(visit.house.practice, ledger, flaws, today, __version__)
