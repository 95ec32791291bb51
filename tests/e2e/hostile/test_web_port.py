"""Attacks on the HTTPS port of a running server: bodies, addresses, slowness, what it serves back."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Iterator

import pytest
from tests.e2e.dicomweb.clinic import BOUNDARY, stow_body
from tests.e2e.hostile.bombs import (
    DEFLATED,
    LAUGHS,
    UIDS,
    deflated,
    described,
    gzipped,
    odd_meta,
    part10,
)
from tests.e2e.hostile.conftest import MIB, House, growing_less

STUDY = "2.25.20"
WHOLE = part10(described("2.25.21", STUDY, "2.25.22"), "2.25.21")
INSTANCE = f"/studies/{STUDY}/series/2.25.22/instances/2.25.21"
QUOTED = [uid.encode("latin-1").hex("%") for uid in UIDS]
PATHS = [
    "/studies/{}",
    "/studies/{}/metadata",
    "/studies/{}/series",
    "/studies/" + STUDY + "/series/{}",
    "/studies/" + STUDY + "/series/2.25.22/instances/{}",
    "/studies/" + STUDY + "/series/2.25.22/instances/{}/rendered",
    INSTANCE + "/frames/{}",
    INSTANCE + "/bulkdata/{}",
]


@contextlib.contextmanager
def flat(house: House, most: int = 48 * MIB) -> Iterator[None]:
    with growing_less(house.receivers, most), growing_less(house.web, most):
        yield
    assert house.clinic.post(stow_body([WHOLE])).status_code == 200


# Bodies


def test_a_deflate_bomb_is_refused_in_little_memory(house: House) -> None:
    with flat(house):
        answer = house.clinic.post(stow_body([part10(deflated(), syntax=DEFLATED), WHOLE]))
        assert answer.status_code == 202
        assert len(answer.json()["00081198"]["Value"]) == 1


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "gzip, gzip"])
def test_a_compressed_body_is_not_inflated(house: House, coding: str) -> None:
    with flat(house):
        answer = house.clinic.post(gzipped(), Content_Encoding=coding)
        assert answer.status_code in (400, 415)


@pytest.mark.parametrize("media", ["application/dicom+xml", "application/xml", "text/xml"])
def test_xml_is_never_parsed(house: House, media: str) -> None:
    with flat(house):
        related = f'multipart/related; type="{media}"; boundary={BOUNDARY}'
        answer = house.clinic.post(stow_body([LAUGHS], media), Content_Type=related)
        assert answer.status_code == 415
        answer = house.clinic.post(stow_body([LAUGHS], media))
        assert answer.status_code == 409
        assert house.clinic.post(LAUGHS, Content_Type=media).status_code == 415
        assert b"root:" not in answer.content


def test_odd_meta_information_is_refused_file_by_file(house: House) -> None:
    odd = list(odd_meta())
    answer = house.clinic.post(stow_body([*odd, WHOLE]))
    assert answer.status_code == 202
    refused = answer.json()["00081198"]["Value"]
    kept = answer.json()["00081199"]["Value"]
    assert len(refused) + len(kept) == len(odd) + 1
    assert {one["00081155"]["Value"][0] for one in kept} <= {"2.25.1", "2.25.21"}
    assert len(refused) >= len(odd) - 4  # four only lie about a length that reading can do without


# Addresses


@pytest.mark.parametrize("path", PATHS)
def test_no_uid_in_an_address_becomes_a_path(house: House, path: str) -> None:
    for quoted in QUOTED:
        uid = "%" + quoted
        answer = house.clinic.get(path.format(uid))
        assert answer.status_code in (400, 404), (uid, answer.status_code)
        assert b"root:" not in answer.content
    assert house.clinic.get(path.format("..%2f..%2f..%2fetc%2fpasswd")).status_code in (400, 404)


def test_no_uid_in_a_query_or_a_store_address_is_more_than_a_value(house: House) -> None:
    for quoted in QUOTED:
        uid = "%" + quoted
        assert house.clinic.get(f"/studies?StudyInstanceUID={uid}").status_code in (200, 204, 400)
        answer = house.clinic.post(stow_body([WHOLE]), f"/studies/{uid}")
        assert answer.status_code in (400, 404, 409)


def test_climbing_out_of_the_pages_finds_nothing(house: House) -> None:
    for path in ("/static/../../../../etc/passwd", "/static/%2e%2e/%2e%2e/serment.toml"):
        answer = raw(house, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        assert b" 404 " in answer.split(b"\r\n")[0] or b" 303 " in answer.split(b"\r\n")[0]
        assert b"root:" not in answer
        assert b"vault" not in answer.lower()


# What is served back


@pytest.mark.parametrize(
    "preamble",
    [
        b"MZ" + bytes(58) + b"\x80\0\0\0",
        b"\x7fELF\2\1\1",
        b"#!/bin/sh\nid\n",
        b"<html><script>alert(1)</script>",
        b"%PDF-1.7",
        b"II*\0",
    ],
    ids=["Windows program", "Linux program", "script", "page", "PDF", "TIFF"],
)
def test_a_file_that_is_two_things_is_served_as_dicom_only(house: House, preamble: bytes) -> None:
    """CVE-2019-11687: the preamble comes back as it was stored, never under a type that runs."""
    instance = f"2.25.30{len(preamble)}"
    both = part10(described(instance, STUDY, "2.25.22"), instance)
    assert house.clinic.post(stow_body([preamble.ljust(128, b"\0") + both[128:]])).ok
    path = f"/studies/{STUDY}/series/2.25.22/instances/{instance}"
    for accept in ("*/*", "application/dicom", "text/html, */*;q=0.1"):
        answer = house.clinic.get(path, accept)
        assert answer.status_code == 200
        media = answer.headers["Content-Type"]
        assert media.startswith(("application/dicom", "multipart/related"))
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    for accept in ("text/html", "application/x-msdownload", "application/pdf"):
        assert house.clinic.get(path, accept).status_code == 406


# Slowness


def raw(house: House, said: str) -> bytes:
    """What is answered, which may come, and the connection end, before all is said."""
    with wire(house) as connection:
        answer = b""
        with contextlib.suppress(OSError):
            connection.sendall(said.encode())
        with contextlib.suppress(OSError):
            while more := connection.recv(65536):
                answer += more
        return answer


@contextlib.contextmanager
def wire(house: House) -> Iterator[ssl.SSLSocket]:
    context = ssl.create_default_context(cafile=house.clinic.server.authority)
    with (
        socket.create_connection(("127.0.0.1", house.clinic.server.web_port), 60) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as secure,
    ):
        yield secure


def test_slow_callers_are_cut_while_members_are_served(house: House) -> None:
    """One that never shakes hands, one that stops in its head, one with a letter at a time."""
    head = f"GET /login HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: {'x' * 2000}"
    port = house.clinic.server.web_port
    with (
        socket.create_connection(("127.0.0.1", port), 60) as dumb,
        wire(house) as half,
        wire(house) as slow,
    ):
        half.sendall(head[:20].encode())
        left, sent = {"dumb": dumb, "half": half, "slow": slow}, 0
        for each in left.values():
            each.settimeout(0.05)
        while left:
            assert house.clinic.get(f"/studies/{STUDY}/metadata").status_code == 200
            with contextlib.suppress(OSError):
                slow.send(head[sent : sent + 1].encode())
            sent += 1
            assert sent < len(head)
            left = {name: each for name, each in left.items() if not cut(each)}
            time.sleep(0.2)


def cut(connection: socket.socket) -> bool:
    try:
        return connection.recv(100) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


@pytest.mark.parametrize(
    "said",
    [
        "POST /dicom-web/studies HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4294967296\r\n\r\n",
        "POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n"
        "Content-Length: 5\r\n\r\nffffffffffffffffff\r\n",
        "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + "X: y\r\n" * 20_000 + "\r\n",
        "GET /" + "a" * 200_000 + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    ],
    ids=["4 GiB", "beyond any size", "two lengths", "two framings", "headers", "address"],
)
def test_heads_that_lie_cost_nothing(house: House, said: str) -> None:
    with flat(house, 16 * MIB):
        answer = raw(house, said.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1))
        assert b"HTTP/1.1 200" not in answer


@pytest.mark.parametrize("endless", [b"X: " + b"y" * 8000 + b"\r\n", b"X: " + b"y" * 8000])
def test_a_head_without_end_is_cut(house: House, endless: bytes) -> None:
    """64 KiB are more than any browser sends; what follows is not kept."""
    with flat(house, 16 * MIB), wire(house) as connection:
        connection.sendall(b"GET /login HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        with pytest.raises(OSError):
            for _ in range(20_000):
                connection.sendall(endless)
