"""The report as one HTML file: no script, nothing fetched, printable, light and dark.

A Content-Security-Policy in the file itself allows its own style sheet, by its digest, and nothing
else. What it says is `handout`; the picture is `drawing`.
"""

from __future__ import annotations

import base64
from functools import cache
from hashlib import sha256
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from serment.core.exposure.findings import Severity
from serment.core.exposure.picture import picture_of
from serment.core.exposure.report import Report
from serment.entrypoints.reports.drawing import MIDDLE, NARROW, WIDE, draw, stylesheet
from serment.entrypoints.reports.handout import handout, saying
from serment.entrypoints.reports.head import About
from serment.entrypoints.reports.icons import SHAPES


def page(report: Report, about: About, lang: str) -> bytes:
    """The whole file, UTF-8."""
    say, drawn = saying(lang), picture_of(report)
    style = _style()
    text = _template().render(
        **handout(report, about, lang),
        style=Markup(style),
        policy=_policy(style),
        pictures={
            name: draw(drawn, say, width=width, addresses=report.addresses)
            for name, width in (("wide", WIDE), ("middle", MIDDLE), ("narrow", NARROW))
        },
        shapes={each.value: SHAPES[each] for each in Severity},
    )
    return text.encode()


def _policy(style: str) -> str:
    digest = base64.b64encode(sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


@cache
def _style() -> str:
    own = files("serment.entrypoints.reports") / "templates" / "exposure.css"
    return own.read_text("utf-8") + stylesheet()


@cache
def _template() -> Template:
    env = Environment(
        loader=PackageLoader("serment.entrypoints.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return env.get_template("exposure.html")
