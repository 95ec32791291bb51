"""The paper form of one share of the recovery kit; the text form and the shares are the app's."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime

import segno

from serment.ports import Typesetter

COMMANDS = (
    "serment recover SHARE SHARE -o DIR",
    "serment member rescue LOGIN --share SHARE --share SHARE",
)


def render_kit_share(
    typesetter: Typesetter,
    *,
    language: str,
    practice: str,
    vault: str,
    at: datetime,
    number: int,
    words: Sequence[str],
    fingerprint: Sequence[str],
) -> bytes:
    """One A4 page: the words in a numbered grid and as a QR code, and what to do with them.

    Args:
        language: "fr" or "en".
        practice: the practice's name, as typed.
        vault: the vault id.
        at: when the kit was made, aware; printed as the day it is in its own zone.
        number: 1, 2 or 3.
        words: the SLIP-39 words of this share, in order (33 for a 256-bit seed).
        fingerprint: the words of the recovery public key's fingerprint
            (`core.crypto.keys.fingerprint_words`).

    Returns:
        PDF/A-2a bytes; the caller writes them where the person asked, and nowhere else.
    """
    data = {
        "language": language,
        "practice": practice,
        "vault": vault,
        "at": at.isoformat(),
        "number": number,
        "words": list(words),
        "fingerprint": list(fingerprint),
        "commands": list(COMMANDS),
        "qr": qr_svg(" ".join(words)),
    }
    return typesetter.render("kit-share", data)


def qr_svg(text: str) -> str:
    """A QR code (ISO/IEC 18004, level M) as a stand-alone SVG picture, dark on white."""
    picture = io.BytesIO()
    segno.make(text, error="m", micro=False).save(picture, kind="svg", border=2, light="white")
    return picture.getvalue().decode()
