"""Which language somebody reads, and how messages, dates and punctuation look in it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from serment.core.records.pack import Gap, no_record
from serment.entrypoints import formats, language
from serment.errors import AccessDenied

PARIS = timezone(timedelta(hours=1))


@pytest.mark.parametrize(
    ("environ", "wanted", "spoken"),
    [
        ({}, None, "en"),
        ({"LANG": "C.UTF-8"}, None, "en"),
        ({"LANG": "fr_FR.UTF-8"}, None, "fr"),
        ({"LANG": "fr_FR.UTF-8"}, "en", "en"),
        ({"LANG": "fr_FR.UTF-8", "LC_ALL": "en_GB.UTF-8"}, None, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "fr_CA"}, None, "fr"),
        ({"LC_ALL": "", "LANG": "fr"}, None, "fr"),
        ({"LANG": "frr_DE"}, None, "en"),
    ],
)
def test_a_command_speaks_the_locale(
    environ: dict[str, str], wanted: str | None, spoken: str
) -> None:
    assert language.from_environment(environ, wanted) == spoken


@pytest.mark.parametrize(
    ("header", "wanted", "spoken"),
    [
        ("", None, "fr"),
        ("en-GB,en;q=0.9", None, "en"),
        ("en;q=0.3, fr;q=0.9", None, "fr"),
        ("de-DE,de", None, "fr"),
        ("fr-FR", "en", "en"),
        ("en", "klingon", "en"),
        ("en;q=abc", None, "en"),
        ("," * 5000 + "en", None, "fr"),
    ],
)
def test_a_page_speaks_the_browsers_language(header: str, wanted: str | None, spoken: str) -> None:
    assert language.from_browser(header, wanted) == spoken


def test_an_error_is_said_with_its_fields_and_its_next_step() -> None:
    error = AccessDenied(
        "a defect of Serment stopped it ({type} in {where})",
        hint="run `serment doctor`, then report these two words to the developers",
        type="KeyError",
        where="a.py:1",
    )
    assert language.say(error, "en") == str(error)
    french = language.say(error, "fr")
    assert "KeyError" in french
    assert french != str(error)
    assert language.advise(error, "en") == error.advice
    assert language.advise(AccessDenied("x"), "fr") == ""


def test_a_date_inside_a_message_is_written_out() -> None:
    said = language.say("since {when}", "fr", when=date(2026, 11, 1))
    assert said == "since 1er\u00a0novembre 2026"


def test_a_remark_inside_a_message_is_translated_too() -> None:
    remark = no_record(Gap(8, 64))
    assert remark == "bytes 8 to 64 hold no whole record"
    torn = language.say("the pack {pack} is torn: {what}", "fr", pack="a1", what=remark)
    assert "les octets 8 à 64 ne contiennent" in torn


def test_what_is_unknown_stays_readable() -> None:
    assert language.say("no such message {n}", "fr", n=11112) == "no such message 11112"


def test_numbers_sizes_and_shares() -> None:
    assert formats.number(491840, "fr") == "491\u202f840"
    assert formats.number(491840, "en") == "491,840"
    assert formats.percent(0.87, "fr") == "87\u202f%" or formats.percent(0.87, "fr") == "87\u00a0%"
    assert formats.size(0, "fr") == "0\u00a0octets"
    assert formats.size(999, "en") == "999\u00a0bytes"
    assert formats.size(5_234_567, "fr") == "5,2\u00a0Mo"
    assert formats.size(999_999, "en") == "1\u00a0MB"


def test_days_and_hours_as_the_french_write_them() -> None:
    at = datetime(2026, 11, 1, 13, 5, tzinfo=UTC)
    assert formats.day(at.date(), "fr") == "1er\u00a0novembre 2026"
    assert formats.day(date(2026, 11, 21), "fr") == "21\u00a0novembre 2026"
    assert formats.day(at.date(), "en") == "1\u00a0November 2026"
    assert formats.hour(at, "fr", PARIS) == "14\u00a0h\u00a005"
    assert formats.hour(at, "en", PARIS) == "14:05"
    assert formats.moment(at, "fr", PARIS) == "1er\u00a0novembre 2026 à 14\u00a0h\u00a005"
    assert formats.weekday(at.date(), "fr") == "dimanche 1er\u00a0novembre 2026"
    assert formats.month(at.date(), "fr") == "novembre 2026"
    assert formats.stamp(at.astimezone(PARIS)) == "2026-11-01T13:05:00Z"
    with pytest.raises(ValueError, match="zone"):
        formats.moment(datetime(2026, 11, 1), "fr")


def test_dicom_dates_and_what_only_looks_like_one() -> None:
    assert formats.dicom_day("19570412", "fr") == "12/04/1957"
    assert formats.dicom_day("1957.04.12", "fr") == "1957.04.12"
    assert formats.dicom_day("", "fr") == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.6, "1 min 00 s"), (200, "3 min 20 s"), (7500, "2 h 05 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert formats.duration(seconds, "fr").replace("\u00a0", " ") == text


@pytest.mark.parametrize(
    ("plain", "written"),
    [
        ("Vraiment ?", "Vraiment\u202f?"),
        ("l'image", "l\u2019image"),
        ("« ouvrir »", "«\u202fouvrir\u202f»"),
        ("erreur : rien", "erreur\u00a0: rien"),
        ("87 % tenu", "87\u00a0% tenu"),
        ("à 14:05", "à 14:05"),
        ("lancez `serment a ! b'c` !", "lancez `serment a ! b'c`\u202f!"),
        ("d'{name} ; fin", "d\u2019{name}\u202f; fin"),
    ],
)
def test_french_punctuation(plain: str, written: str) -> None:
    assert formats.typographic(plain) == written
    assert formats.typographic(written) == written
