"""What a service that stays silent is asked fits into the time it has: a sum, not a measurement."""

from __future__ import annotations

from typing import Final

from serment.adapters.network import line, recognise
from serment.adapters.network.probes import load
from serment.adapters.network.probing import Probe
from serment.ports.network import Order

PROBES: Final = load()[0]
SILENT: Final = Order((), ()).silent_seconds
TLS: Final = recognise._TLS
GENERAL: Final = [each for each in (*PROBES, TLS) if each.hears is None and each.rank <= TLS.rank]
GOODBYE: Final = line._GOODBYE_SECONDS


def spent(asked: list[Probe]) -> float:
    """Seconds of who listens to a service, asks all this, wakes it once and never hears a word."""
    windows = sum(each.window for each in asked) + recognise.WAKING_WINDOW
    return recognise.LISTENING_SECONDS + windows + GOODBYE * len(asked)


def test_everybody_is_asked_the_general_questions_in_full() -> None:
    assert [each.protocol for each in sorted(GENERAL, key=lambda each: each.rank)] == [
        "dicom",
        "http",
        "tls",
    ]
    assert spent(GENERAL) <= SILENT - 0.05


def test_the_last_of_them_comes_long_before_the_end() -> None:
    assert spent([each for each in GENERAL if each is not TLS]) <= SILENT * 0.8


def test_where_dicom_is_usual_it_has_most_of_the_time_and_the_web_its_window() -> None:
    first, web, _ = sorted(GENERAL, key=lambda each: each.rank)
    windows = recognise.FIRST_WINDOW + recognise.WAKING_WINDOW + web.window
    assert 104 in first.usual
    assert recognise.FIRST_WINDOW + recognise.WAKING_WINDOW >= 2.5
    assert windows + 2 * GOODBYE <= SILENT


FLEEING: Final = [each for each in PROBES if each.flees]


def test_who_hangs_up_is_asked_while_there_is_time() -> None:
    """All of them, one after the other, where none of the questions before was answered."""
    (fled,) = {each.flees for each in FLEEING}
    (question,) = [each for each in PROBES if each.protocol == fled]
    before = [each for each in GENERAL if each.rank < question.rank]
    assert spent([*before, *FLEEING]) <= SILENT


def test_redis_and_sql_server_are_of_them() -> None:
    assert [each.protocol for each in FLEEING] == ["redis", "mssql"]
