"""What the process that talks told stays, however it ended; what it did not tell is known by name."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence

import pytest

from serment.adapters.network.hearing import DROPPED_MOST, Hearing
from serment.adapters.network.lines import LINE_LIMIT, encode
from serment.adapters.network.telling import Asked, Over, WhoIsNear, dues
from serment.core.exposure.findings import Place
from serment.core.exposure.seen import Answered, Missed, Service
from serment.errors import Unavailable
from serment.ports.network import Progress

HOST = "192.0.2.1"


def service(port: int) -> bytes:
    return encode(Service(Place(HOST, port, "http"), "http"))


def asked(port: int, services: int = 1) -> bytes:
    return encode(Asked(HOST, port, services, 1, 2))


BEGUN = b"".join(map(encode, (Answered(HOST), *dues(HOST, [80, 81]), Progress("services", 0, 2))))
FIRST = service(80) + asked(80)
WHOLE = FIRST + service(81) + asked(81) + asked(0, 0) + encode(Over())
HUGE = b'{"x":"' + b"a" * (3 * LINE_LIMIT) + b'"}\n'


def heard(
    *words: bytes, progress: list[Progress] | None = None
) -> tuple[list[int], Sequence[Missed]]:
    """The ports of the services that were told, and what is missing."""
    steps: list[Progress] = [] if progress is None else progress
    pipe = io.BytesIO(b"".join(words))
    told = [*Hearing(pipe, contextlib.nullcontext, steps.append, lambda: None).run()]
    ports = [each.place.port for each in told if isinstance(each, Service)]
    return ports, [each for each in told if isinstance(each, Missed)]


def places(*ports: int) -> tuple[Place, ...]:
    return tuple(Place(HOST, port) for port in ports)


def test_an_audit_that_is_whole_misses_nothing() -> None:
    steps: list[Progress] = []
    assert heard(BEGUN, WHOLE, progress=steps) == ([80, 81], [])
    assert [each.done for each in steps] == [0, 1, 1, 1]


@pytest.mark.parametrize(
    ("words", "told", "missing"),
    [
        (b"", [], (0, 80, 81)),
        (service(80), [80], (0, 80, 81)),  # whether there was more to it was not told
        (FIRST, [80], (0, 81)),
        (FIRST + service(81)[:-20], [80], (0, 81)),  # in the middle of a line
        (FIRST + service(81) + asked(81), [80, 81], (0,)),
    ],
)
def test_what_was_told_before_the_end_stays(
    words: bytes, told: list[int], missing: tuple[int, ...]
) -> None:
    assert heard(BEGUN, words) == (told, [Missed(places(*missing), ended=True)])


@pytest.mark.parametrize("words", [b"", encode(Answered(HOST)), encode(Progress("ports", 1, 2))])
def test_without_a_word_of_services_there_is_no_audit(words: bytes) -> None:
    with pytest.raises(Unavailable):
        heard(words)


@pytest.mark.parametrize(
    "nonsense", [b"nonsense\n", b"\n", b"\xff\n", encode(Place(HOST)), HUGE], ids=lambda it: it[:9]
)
def test_a_line_that_is_not_understood_is_dropped_alone(nonsense: bytes) -> None:
    assert heard(BEGUN, nonsense, WHOLE) == ([80, 81], [Missed(dropped=1)])


@pytest.mark.parametrize("nonsense", [b"{}\n", HUGE], ids=len)
def test_the_place_of_a_dropped_line_is_known(nonsense: bytes) -> None:
    """So many services were told of it, and one less was heard."""
    words = WHOLE.replace(service(81), nonsense)
    assert heard(BEGUN, words) == ([80], [Missed(places(81), dropped=1)])


def test_what_is_asked_over_udp_is_missed_with_its_host() -> None:
    words = WHOLE.replace(asked(0, 0), b"{}\n" + asked(0, 1))
    assert heard(BEGUN, words) == ([80, 81], [Missed(places(0), dropped=1)])


def test_a_line_without_end_ends_the_audit() -> None:
    assert heard(BEGUN, FIRST, b"a" * (80 * LINE_LIMIT), WHOLE)[1] == [
        Missed(places(0, 81), ended=True)
    ]


def test_nonsense_without_end_ends_the_audit() -> None:
    (missed,) = heard(BEGUN, FIRST, b"nonsense\n" * (DROPPED_MOST + 1), WHOLE)[1]
    assert missed == Missed(places(0, 81), ended=True, dropped=DROPPED_MOST + 1)


def test_its_question_is_answered_when_it_is_asked() -> None:
    answered: list[str] = []
    pipe = io.BytesIO(encode(WhoIsNear()) + BEGUN + WHOLE)
    hearing = Hearing(pipe, contextlib.nullcontext, lambda _: None, lambda: answered.append("near"))
    assert len([*hearing.run()]) == 3
    assert answered == ["near"]
