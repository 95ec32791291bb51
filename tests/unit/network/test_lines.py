"""What the child says becomes values only when every field is what it should be."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.adapters.network.lines import LINE_LIMIT, decode, encode
from serment.adapters.network.telling import Asked, Near, Over, WhoIsNear, dues
from serment.core.exposure import seen
from serment.core.exposure.findings import Place, Readable, Unit
from serment.errors import FormatError
from serment.ports.network import Order, Progress

PLACE = Place("192.0.2.1", 104, "dicom")
YES = seen.Answer.YES
FACTS = (
    None,
    seen.Dicom(frozenset({"find"}), "PACS", False, 3, "called", YES, Readable(5, True, Unit.ROWS)),
    seen.Http("orthanc", 200, listed={"dicom": 3}, also=frozenset({"dicomweb"})),
    seen.Files(YES, {"table": 1}, 2),
    seen.Database(YES, "postgres"),
    seen.Messages(YES),
    seen.Remote(YES),
    seen.Gateway((seen.Mapping(80, "192.0.2.9", 80, "TCP", "x"),), "203.0.113.9", partial=True),
    seen.Community(YES),
)


@pytest.mark.parametrize("facts", FACTS, ids=lambda facts: type(facts).__name__)
def test_a_service_comes_back_as_it_was(facts: seen.Facts) -> None:
    tls = seen.Tls(("TLSv1.2",), YES, datetime(2026, 1, 2, tzinfo=UTC), "RSA", 2048)
    service = seen.Service(PLACE, "dicom", "p", "1", "b", tls, facts, True)
    assert decode(encode(service), seen.Service, Over) == service


def test_an_order_comes_back_as_it_was() -> None:
    order = Order(("192.0.2.1",), (104,), True, only=frozenset({("192.0.2.1", 104)}))
    assert decode(encode(order), Order) == order
    assert decode(encode(Progress("ports", 1, 2)), Progress) == Progress("ports", 1, 2)


def test_what_the_process_says_of_its_work_comes_back() -> None:
    ports = tuple(dues("192.0.2.1", [80, 443, 81, *range(10_000, 30_000, 2)]))
    words = (*ports, Asked("192.0.2.1", 80, 1, 2, 3), WhoIsNear(), Near(("192.0.2.9",)), Over())
    assert [decode(encode(each), *map(type, words)) for each in words] == [*words]
    assert ports[0].ports[:3] == ((0, 0), (80, 81), (443, 443))
    assert [len(each.ports) for each in ports] == [4000, 4000, 2003]


GOOD = json.loads(encode(seen.Service(PLACE, "dicom", facts=seen.Dicom())))


@pytest.mark.parametrize(
    "change",
    [
        {"protocol": 7},
        {"protocol": "x" * 5000},
        {"place": None},
        {"place": {"host": "192.0.2.1", "port": "104"}},
        {"facts": {"_kind": "Service"}},
        {"facts": {"_kind": "Dicom", "patient": "DOE"}},
        {"facts": {"_kind": "Dicom", "studies": "perhaps"}},
        {"facts": {"_kind": "Dicom", "titles_tried": True}},
        {"facts": {"_kind": "Dicom", "patients": {"count": 1}}},
        {"more": "DOE^JOHN"},
        {"_kind": "Order"},
        {"_kind": None},
    ],
)
def test_anything_else_is_refused_whole(change: dict[str, object]) -> None:
    with pytest.raises(FormatError):
        decode(json.dumps({**GOOD, **change}).encode(), seen.Service)


def test_a_line_is_bounded() -> None:
    with pytest.raises(FormatError):
        decode(b" " * LINE_LIMIT + encode(Progress("ports", 1, 2)), Progress)


@given(st.binary(max_size=200) | st.text(max_size=50).map(lambda text: json.dumps(text).encode()))
def test_no_bytes_are_more_than_a_format_error(untrusted: bytes) -> None:
    with pytest.raises(FormatError):
        decode(untrusted, seen.Service, Progress, Over)
