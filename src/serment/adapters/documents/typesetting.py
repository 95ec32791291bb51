"""Sets a packaged template with data as a PDF; what a document says is decided by the template.

Implements `serment.ports.Typesetter`. Data goes in as a virtual JSON file that the template reads,
never into markup, so that a name with `#` or `]` is only text. Fonts are those inside typst;
nothing is read from the system, fetched, or written to a file. Typst keeps what it set lately in
the memory of its process: secrets (a kit) belong into a short-lived one.

Archival paper bears no character its fonts lack, and a practice, a person or a machine may be called in any
script: what is neither Latin, Greek nor Cyrillic reads "?" on paper.
"""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final

import typst

from serment.errors import N_, NotFound, SermentError

STANDARDS = ["a-2a", "ua-1"]  # archival (ISO 19005-2) and accessible (ISO 14289-1)

STRANGE: Final = re.compile(
    "[^\n\x20-\x7e\xa0-\u024f\u0370-\u04ff\u2010-\u2027\u202f-\u203a\u20ac\u2190-\u2193]"
)


class Typst:
    """`serment.ports.Typesetter`: PDF/A-2a and PDF/UA-1 bytes."""

    def render(self, template: str, data: dict[str, Any]) -> bytes:
        """Typeset `template` (a packaged name without its suffix).

        Args:
            template: "letter" or "kit-share".
            data: JSON values; every template needs `language` ("fr" or "en"), `practice` and
                `at` (ISO 8601 with its zone; printed, and the date of the document).

        Raises:
            NotFound: there is no such template.
            SermentError: the data does not fit the template. Typst's own message, which may
                quote the data, is dropped.
        """
        sources = packaged()
        if f"{template}.typ" not in sources:
            raise NotFound(N_("there is no document template {template}"), template=template)
        whole = {**sources, "data.json": json.dumps(printed(data)).encode()}
        whole["main"] = whole.pop(f"{template}.typ")
        try:
            return typeset(whole, datetime.fromisoformat(data["at"]))
        except (typst.TypstError, KeyError, ValueError):
            raise SermentError(
                N_("the document {template} could not be typeset with what it was given"),
                hint=N_("this is a defect of Serment; please report it to the developers"),
                template=template,
            ) from None


def typeset(sources: dict[str, bytes], at: datetime) -> bytes:
    """Compile virtual files ("main" first) into PDF bytes, dated `at`."""
    made = typst.compile(  # type: ignore[call-overload] # its types leave out virtual files
        sources,
        format="pdf",
        ignore_system_fonts=True,
        pdf_standards=STANDARDS,
        timestamp=int(at.astimezone(UTC).timestamp()),
    )
    if not isinstance(made, bytes):
        raise ValueError("typst gave no single document")
    return made


def printed(value: Any) -> Any:
    """A JSON value with nothing in it that the fonts lack."""
    match value:
        case str():
            return STRANGE.sub("?", unicodedata.normalize("NFC", value))
        case dict():
            return {name: printed(each) for name, each in value.items()}
        case list():
            return [printed(each) for each in value]
    return value


@cache
def packaged() -> dict[str, bytes]:
    """Name and bytes of every template file."""
    folder = files("serment.adapters.documents").joinpath("templates")
    names = (item.name for item in folder.iterdir() if re.fullmatch(r"[a-z-]+\.typ", item.name))
    return {name: folder.joinpath(name).read_bytes() for name in names}
