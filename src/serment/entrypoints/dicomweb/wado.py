"""WADO-RS (PS3.18 10.4): objects, metadata, frames, rendered pictures, streamed as they open.

Nothing leaves before the journal has named it. Whole objects and frames stream in pieces of at
least 512 KiB; a reader that goes away costs nothing more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from serment.app.protect.objects import ObjectReader
from serment.core.crypto.entropy import new_id
from serment.core.dicom.frames import read_frame
from serment.core.dicom.json import bulk_data, metadata
from serment.core.dicom.uids import is_uid
from serment.entrypoints.dicomweb import accept
from serment.entrypoints.dicomweb.callers import Caller, base_url, member
from serment.errors import N_, FormatError, NotFound, UsageError
from serment.ports import InstanceRow, Matches

DICOM = "application/dicom"
OCTETS = "application/octet-stream"
RELATED = "multipart/related"
PIECE = 512 * 1024
FRAMES_AT_ONCE = 1000


def _rows(caller: Caller, request: Request) -> list[InstanceRow]:
    """The instances the address names. `NotFound` when none can be opened here."""
    uids: dict[str, Any] = {}
    for parameter in ("study", "series", "instance"):
        uid = request.path_params.get(parameter)
        if uid is not None and not is_uid(uid):
            raise FormatError(N_("a UID of the address is not valid"))
        uids[f"{parameter}_uids"] = None if uid is None else (uid,)
    caller.desk.practice.refresh()
    found = caller.reading.instances(Matches(**uids))
    if not found:
        raise NotFound(N_("there is no such study, series or instance"))
    return found


async def objects(request: Request) -> Response:
    """Study, series or instance as DICOM files (10.4.1.1.1)."""
    caller = await member(request)
    return await run_in_threadpool(_objects, caller, request)


def _objects(caller: Caller, request: Request) -> Response:
    rows = _rows(caller, request)
    ranges = accept.accepted(request)
    for row in rows:
        syntax = _syntax(row)
        if not (
            accept.wants(ranges, RELATED, DICOM, syntax) or accept.wants(ranges, DICOM, "", syntax)
        ):
            raise accept.not_acceptable(syntax)
    readers = caller.reading.open(rows, "object")
    if len(rows) == 1 and not accept.wants(ranges, RELATED, DICOM):
        return StreamingResponse(_pieces(readers[0].stream()), media_type=DICOM)
    return _multipart(
        DICOM, ((_part_type(r), reader) for r, reader in zip(rows, readers, strict=True))
    )


def _syntax(row: InstanceRow) -> str:
    return str(row.attributes.get("AvailableTransferSyntaxUID", ""))


def _part_type(row: InstanceRow) -> str:
    return f"{DICOM}; transfer-syntax={_syntax(row)}"


def _multipart(inner: str, parts: Iterable[tuple[str, ObjectReader]]) -> Response:
    boundary = new_id()

    def body() -> Iterator[bytes]:
        for content_type, reader in parts:
            yield f"--{boundary}\r\nContent-Type: {content_type}\r\n\r\n".encode()
            yield from reader.stream()
            yield b"\r\n"
        yield f"--{boundary}--\r\n".encode()

    media = f'{RELATED}; type="{inner}"; boundary={boundary}'
    return StreamingResponse(_pieces(body()), media_type=media)


def _pieces(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of at least `PIECE`: each costs a turn of the event loop."""
    held: list[bytes] = []
    size = 0
    for chunk in chunks:
        held.append(chunk)
        size += len(chunk)
        if size >= PIECE:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


async def metadata_of(request: Request) -> Response:
    """All attributes of every instance, bulk data by address (10.4.1.1.2)."""
    caller = await member(request)
    if not accept.wants(
        accept.accepted(request), "application/dicom+json", ""
    ) and not accept.wants(accept.accepted(request), "application/json", ""):
        raise accept.not_acceptable()
    body = await run_in_threadpool(_metadata, caller, request)
    return JSONResponse(body, media_type="application/dicom+json")


def _metadata(caller: Caller, request: Request) -> list[dict[str, Any]]:
    rows = _rows(caller, request)
    readers = caller.reading.open(rows, "metadata")
    base = base_url(request)
    memo: dict[Any, Any] = {}
    return [
        metadata(_head(row, reader), f"{_address(base, row)}/bulkdata", memo)
        for row, reader in zip(rows, readers, strict=True)
    ]


def _head(row: InstanceRow, reader: ObjectReader) -> bytes:
    size = row.attributes.get("header_size")
    return reader.read(0, min(int(size), reader.size) if isinstance(size, int) else reader.size)


def _address(base: str, row: InstanceRow) -> str:
    return f"{base}/studies/{row.study_uid}/series/{row.series_uid}/instances/{row.instance_uid}"


async def frames(request: Request) -> Response:
    """Frames of one instance (10.4.1.1.6), without reading the rest of it."""
    caller = await member(request)
    return await run_in_threadpool(_frames, caller, request)


def _frames(caller: Caller, request: Request) -> Response:
    numbers = frame_list(request.path_params["frames"])
    (row, *_), ranges = _rows(caller, request), accept.accepted(request)
    syntax = _syntax(row)
    multipart = accept.wants(ranges, RELATED, OCTETS, syntax) or accept.wants(
        ranges, RELATED, "", syntax
    )
    if not multipart and not accept.wants(ranges, OCTETS, "", syntax):
        raise accept.not_acceptable(syntax)
    (reader,) = caller.reading.open([row], "frames")
    data = [read_frame(reader.read, row.attributes, number) for number in numbers]
    if not multipart and len(data) == 1:
        return Response(data[0], media_type=OCTETS)
    boundary = new_id()
    head = f"Content-Type: {OCTETS}; transfer-syntax={syntax}\r\n\r\n"
    body = b"".join(b"".join((f"--{boundary}\r\n{head}".encode(), one, b"\r\n")) for one in data)
    media = f'{RELATED}; type="{OCTETS}"; boundary={boundary}'
    return Response(body + f"--{boundary}--\r\n".encode(), media_type=media)


def frame_list(text: str) -> list[int]:
    """Frame numbers from 1, comma separated (PS3.18 10.4.1.1.6)."""
    numbers = text.split(",")
    if len(numbers) > FRAMES_AT_ONCE or not all(
        n.isdecimal() and 0 < int(n) < 10**9 for n in numbers
    ):
        raise UsageError(N_("frames are numbers from 1, separated by commas"))
    return [int(n) for n in numbers]


async def bulk(request: Request) -> Response:
    """One large value named by the metadata (10.4.1.1.5)."""
    caller = await member(request)
    return await run_in_threadpool(_bulk, caller, request)


def _bulk(caller: Caller, request: Request) -> Response:
    (row, *_) = _rows(caller, request)
    (reader,) = caller.reading.open([row], "bulkdata")
    path = request.path_params["path"]
    if path == "7FE00010":
        start = int(row.attributes.get("header_size", 0))
        return StreamingResponse(_pieces(reader.stream(start)), media_type=OCTETS)
    return Response(bulk_data(_head(row, reader), path), media_type=OCTETS)


async def rendered(request: Request) -> Response:
    """A picture of an instance or frame (10.4.1.1.3), or a thumbnail of anything (10.4.1.1.4)."""
    caller = await member(request)
    return await run_in_threadpool(_rendered, caller, request)


def _rendered(caller: Caller, request: Request) -> Response:
    ranges = accept.accepted(request)
    image_type = "jpeg" if accept.wants(ranges, "image/jpeg", "") else "png"
    if image_type == "png" and not accept.wants(ranges, "image/png", ""):
        raise accept.not_acceptable()
    row = representative(_rows(caller, request))
    (reader,) = caller.reading.open([row], "rendered")
    frame = frame_list(request.path_params.get("frame", "1"))[0]
    size = 256 if request.url.path.endswith("/thumbnail") else _viewport(request)
    picture = caller.decoder.render(
        reader.all(), frame, size=size, window=_window(request), image_type=image_type
    )
    return Response(picture, media_type=f"image/{image_type}")


def representative(rows: list[InstanceRow]) -> InstanceRow:
    """The middle image of the first series that has any."""
    pictures = [row for row in rows if row.attributes.get("Rows")] or rows
    series = [row for row in pictures if row.series_uid == pictures[0].series_uid]
    return series[len(series) // 2]


def _viewport(request: Request) -> int | None:
    """`viewport=width,height` (8.3.5.1.3): the longer side in pixels."""
    text = request.query_params.get("viewport")
    if not text:
        return None
    sides = [part for part in text.split(",")[:2] if part.isdecimal()]
    if len(sides) != 2 or not all(0 < int(side) <= 8192 for side in sides):
        raise UsageError(N_("viewport is width,height in pixels"))
    return max(map(int, sides))


def _window(request: Request) -> tuple[float, float] | None:
    """`window=center,width,function` (8.3.5.1.4); LINEAR only."""
    text = request.query_params.get("window")
    if not text:
        return None
    try:
        center, width = (float(part) for part in text.split(",")[:2])
    except ValueError:
        raise UsageError(N_("window is center,width,LINEAR")) from None
    return center, max(width, 1.0)
