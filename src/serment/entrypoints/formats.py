"""Decides how numbers, sizes, dates and French punctuation are written for a reader.

French follows the Imprimerie nationale's usage: "1er novembre 2026", "14 h 05", narrow no-break
space before ; ! ? and inside guillemets, no-break space before the colon and the per cent sign,
typographic apostrophe. Values come in exact; nothing here is read back by a program.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, tzinfo

from babel.dates import format_date
from babel.numbers import format_decimal, format_percent

NARROW = "\u202f"  # narrow no-break space
NO_BREAK = "\u00a0"
APOSTROPHE = "\u2019"

_LOCALES = {"fr": "fr_FR", "en": "en_GB"}


def number(value: float, lang: str) -> str:
    """491840 is "491 840" in French (narrow no-break space) and "491,840" in English."""
    return str(format_decimal(value, locale=_LOCALES[lang]))


def percent(fraction: float, lang: str) -> str:
    """0.87 is "87 %" in French and "87%" in English."""
    return str(format_percent(fraction, locale=_LOCALES[lang]))


def size(count_bytes: int, lang: str) -> str:
    """Bytes in decimal units: "5,2 Mo" or "5.2 MB"."""
    units = (
        ("octets", "ko", "Mo", "Go", "To") if lang == "fr" else ("bytes", "kB", "MB", "GB", "TB")
    )
    value, step = float(count_bytes), 0
    while value >= 999.5 and step < len(units) - 1:
        value, step = value / 1000, step + 1
    digits = 0 if step == 0 or value >= 99.95 else 1
    return number(round(value, digits), lang) + NO_BREAK + units[step]


def day(value: date, lang: str) -> str:
    """1 November 2026 is "1er novembre 2026" in French."""
    text = str(format_date(value, "d MMMM y", locale=_LOCALES[lang]))
    if lang == "fr" and value.day == 1:
        text = "1er" + text[1:]
    return text.replace(" ", NO_BREAK, 1)


def short_day(value: date, lang: str) -> str:
    """Like "01/11/2026" in both languages, for columns."""
    return value.strftime("%d/%m/%Y")


def hour(value: datetime, lang: str, zone: tzinfo | None = None) -> str:
    """Like "14 h 05" in French, "14:05" in English, in the reader's zone (the machine's by default)."""
    local = value.astimezone(zone)
    if lang == "fr":
        return f"{local.hour}{NO_BREAK}h{NO_BREAK}{local.minute:02d}"
    return f"{local.hour:02d}:{local.minute:02d}"


def moment(value: datetime, lang: str, zone: tzinfo | None = None) -> str:
    """A day and an hour in the reader's zone; a time without a zone is a programming error."""
    if value.tzinfo is None:
        raise ValueError("a time needs its zone")
    local = value.astimezone(zone)
    joint = " à " if lang == "fr" else " at "
    return day(local.date(), lang) + joint + hour(value, lang, zone)


def weekday(value: date, lang: str) -> str:
    """Like "dimanche 1er novembre 2026"."""
    name = str(format_date(value, "EEEE", locale=_LOCALES[lang]))
    return f"{name} {day(value, lang)}"


def stamp(value: datetime) -> str:
    """The exact moment, for tables of evidence: ISO 8601 to the second, UTC."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def month(value: date, lang: str) -> str:
    """Like "novembre 2026"."""
    return str(format_date(value, "MMMM y", locale=_LOCALES[lang]))


def dicom_day(value: str, lang: str) -> str:
    """A DICOM DA value (PS3.5 6.2, YYYYMMDD) as "01/11/2026"; what is no date is left as it is."""
    if not re.fullmatch(r"[0-9]{8}", value):
        return value
    return f"{value[6:]}/{value[4:6]}/{value[:4]}"


def duration(seconds: float, lang: str) -> str:
    """Like "45 s", "3 min 20 s", "2 h 05 min": the two largest units."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, last = divmod(rest, 60)
    if hours:
        parts = [f"{hours}{NO_BREAK}h", f"{minutes:02d}{NO_BREAK}min"]
    elif minutes:
        parts = [f"{minutes}{NO_BREAK}min", f"{last:02d}{NO_BREAK}s"]
    else:
        parts = [f"{last}{NO_BREAK}s"]
    return NO_BREAK.join(parts)


# Code between backquotes and addresses keep their own punctuation.
_CODE = re.compile(r"(`[^`]*`|\w+://\S+)")
_RULES = (
    (re.compile(r"[ \u00a0\u202f]+([;!?»])"), NARROW + r"\1"),
    (re.compile(r"«[ \u00a0\u202f]*"), "«" + NARROW),
    (re.compile(r"[ \u00a0\u202f]+:"), NO_BREAK + ":"),
    (re.compile(r"(\d)[ \u202f]%"), r"\1" + NO_BREAK + "%"),
    (re.compile(r"(?<=\w)'(?=\w|«|\{|%)"), APOSTROPHE),
)


def typographic(text: str) -> str:
    """French text with its no-break spaces and apostrophes; code in backquotes is untouched."""
    parts = _CODE.split(text)
    for index in range(0, len(parts), 2):
        for pattern, put in _RULES:
            parts[index] = pattern.sub(put, parts[index])
    return "".join(parts)
