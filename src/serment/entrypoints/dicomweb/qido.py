"""QIDO-RS (PS3.18 10.6): search at study, series and instance level."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from serment.app.protect.searching import Searching
from serment.core.dicom.json import to_json
from serment.core.dicom.query import Query, parse_qido
from serment.core.dicom.uids import is_uid
from serment.entrypoints.dicomweb.callers import base_url, member
from serment.errors import N_, FormatError
from serment.ports import Matches

MEDIA = "application/dicom+json"
DEFAULT_LIMIT = 1000  # PS3.18 8.3.4.4: the server may limit; it says so with a warning
MORE = '299 serment "there are more results: ask for the next page with offset"'
IGNORED = '299 serment "some attributes cannot be searched by and were ignored"'
STUDY = (
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "ModalitiesInStudy",
    "ReferringPhysicianName",
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyID",
    "StudyDescription",
    "NumberOfStudyRelatedSeries",
    "NumberOfStudyRelatedInstances",
)
INSTANCE = (
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "Modality",
    "InstanceNumber",
    "Rows",
    "Columns",
    "BitsAllocated",
    "NumberOfFrames",
)


async def studies(request: Request) -> Response:
    return await _answer(request, "study")


async def series(request: Request) -> Response:
    return await _answer(request, "series")


async def instances(request: Request) -> Response:
    return await _answer(request, "instance")


async def _answer(request: Request, level: str) -> Response:
    caller = await member(request)
    query = _narrowed(parse_qido(request.query_params.multi_items()), request)
    limit = query.limit if query.limit is not None else DEFAULT_LIMIT
    rows = await run_in_threadpool(_rows, caller.searching, query, level, limit)
    base = base_url(request)
    headers = {}
    if query.ignored:
        headers["Warning"] = IGNORED
    if query.limit is None and len(rows) == DEFAULT_LIMIT:
        headers["Warning"] = MORE
    body = [_json(row, level, base, query.includefields) for row in rows]
    if not body:
        return Response(status_code=204, headers=headers)
    return JSONResponse(body, headers=headers, media_type=MEDIA)


def _narrowed(query: Query, request: Request) -> Query:
    """The UIDs of the path narrow those of the query."""
    for parameter, field in (("study", "study_uids"), ("series", "series_uids")):
        uid = request.path_params.get(parameter)
        if uid is not None:
            if not is_uid(uid):
                raise FormatError(N_("a UID of the address is not valid"))
            only: dict[str, Any] = {field: (uid,)}
            query = replace(query, **only)
    return query


def _rows(searching: Searching, query: Query, level: str, limit: int) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for one in query.alternatives():
        matches = replace(Matches(**one.matches()), limit=limit)
        for row in _level(searching, matches, level):
            found.setdefault(_uid(row, level), row)
    return list(found.values())[:limit]


def _level(searching: Searching, matches: Matches, level: str) -> list[dict[str, Any]]:
    if level == "study":
        return [study.attributes() for study in searching.studies(matches)]
    return searching.series(matches) if level == "series" else searching.instances(matches)


def _uid(row: dict[str, Any], level: str) -> str:
    keyword = {
        "study": "StudyInstanceUID",
        "series": "SeriesInstanceUID",
        "instance": "Object",
    }[level]
    return str(row[keyword])


def _json(
    row: dict[str, Any], level: str, base: str, includefields: tuple[str, ...]
) -> dict[str, Any]:
    """One result: the standard's attributes (Tables 10.6.3-3 to -5) and those asked for."""
    kept = row
    if level == "study":
        kept = {key: row.get(key, "") for key in STUDY if key in row or key in STUDY[:11]}
    elif level == "instance" and "all" not in includefields:
        wanted = {*INSTANCE, *includefields}
        kept = {key: value for key, value in row.items() if key in wanted}
    return to_json({**kept, "RetrieveURL": _url(row, level, base)})


def _url(row: dict[str, Any], level: str, base: str) -> str:
    url = f"{base}/studies/{row['StudyInstanceUID']}"
    if level != "study":
        url += f"/series/{row['SeriesInstanceUID']}"
    if level == "instance":
        url += f"/instances/{row['SOPInstanceUID']}"
    return url
