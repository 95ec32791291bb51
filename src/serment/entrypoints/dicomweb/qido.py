"""QIDO-RS (PS3.18 10.6): search at study, series and instance level.

A secretary's session answers at study level only: below it no key of hers opens anything. A
search over all series or instances also says what study each belongs to, as far as the session
holds an identity circle.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from serment.core.dicom.json import to_json, to_text
from serment.core.dicom.query import Query, keyword_of, parse_qido
from serment.entrypoints.dicomweb.answers import list_offer, packed, warning, xml_parts
from serment.entrypoints.dicomweb.callers import Caller, base_url, in_session
from serment.entrypoints.dicomweb.instances import uids_of
from serment.ports import Matches

DEFAULT_LIMIT = 1000  # PS3.18 8.3.4.4: the server may limit; it says so with a warning
MORE = "There are additional results that can be requested"
IGNORED = "The following attributes cannot be searched by and were ignored"
STUDY = (
    *("StudyInstanceUID", "StudyDate", "StudyTime", "AccessionNumber", "ModalitiesInStudy"),
    *("ReferringPhysicianName", "PatientName", "PatientID", "PatientBirthDate", "PatientSex"),
    "StudyID",
)  # always there, if need be empty (Table 10.6.3-3)
STUDY_IF_KNOWN = (
    *("IssuerOfPatientID", "StudyDescription"),
    *("NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances"),
)
INSTANCE = (
    *("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality"),
    *("InstanceNumber", "Rows", "Columns", "BitsAllocated", "NumberOfFrames"),
    "AvailableTransferSyntaxUID",
)  # Table 10.6.3-5
KEY = {"study": "StudyInstanceUID", "series": "SeriesInstanceUID", "instance": "Object"}

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """The rows asked for, and whether there are more."""

    rows: list[Row]
    more: bool


async def studies(request: Request) -> Response:
    return await in_session(request, lambda caller: _answer(caller, request, "study"), False)


async def series(request: Request) -> Response:
    return await in_session(request, lambda caller: _answer(caller, request, "series"), False)


async def instances(request: Request) -> Response:
    return await in_session(request, lambda caller: _answer(caller, request, "instance"), False)


def _answer(caller: Caller, request: Request, level: str) -> Response:
    offer = list_offer(request)
    uids = uids_of(request)
    query = parse_qido(request.query_params.multi_items())
    narrowed: dict[str, Any] = {f"{at}_uids": (uid,) for at, uid in uids.items()}
    query = replace(query, **narrowed)
    page = _page(caller, query, level)
    rows = page.rows
    if level != "study" and not uids:
        rows = _with_study(caller, rows)
    warnings = [MORE] if page.more else []
    if query.ignored:
        warnings.append(f"{IGNORED}: {', '.join(query.ignored)}")
    headers = {"Warning": ", ".join(map(warning, warnings))} if warnings else {}
    if not rows:
        return Response(status_code=204, headers=headers)
    base = base_url(request)
    included = tuple(map(keyword_of, query.includefields))
    found = [_attributes(row, level, base, included) for row in rows]
    if offer.inner:
        return xml_parts([to_json(each) for each in found], headers)
    body = f"[{','.join(map(to_text, found))}]".encode(errors="replace")
    return packed(request, body, offer.media, headers=headers)


def _page(caller: Caller, query: Query, level: str) -> Page:
    limit = DEFAULT_LIMIT if query.limit is None else min(query.limit, DEFAULT_LIMIT)
    alternatives = query.alternatives()
    if len(alternatives) == 1:
        matches = replace(Matches(**alternatives[0].matches()), limit=limit)
        rows = _level(caller, matches, level)
        return Page(rows, len(rows) == limit > 0 and _goes_on(caller, matches, level))
    end = query.offset + limit
    found: dict[str, Row] = {}
    for one in alternatives:  # each may fill the page; none knows what the others leave of it
        matches = replace(Matches(**one.matches()), limit=end + 1, offset=0)
        for row in _level(caller, matches, level):
            found.setdefault(str(row[KEY[level]]), row)
    rows = list(found.values())
    if level == "study":
        rows.sort(key=lambda row: f"{row.get('StudyDate', '')}{row.get('StudyTime', '')}")
        rows.reverse()
    return Page(rows[query.offset : end], len(rows) > end)


def _goes_on(caller: Caller, matches: Matches, level: str) -> bool:
    """Whether anything follows the page; nothing of it is shown, so nothing is journalled."""
    following = replace(matches, offset=matches.offset + (matches.limit or 0), limit=1)
    return caller.searching.any(following, level)


def _level(caller: Caller, matches: Matches, level: str) -> list[Row]:
    if level == "study":
        return [caller.identified(study) for study in caller.searching.studies(matches)]
    if level == "series":
        return caller.searching.series(matches)
    return caller.searching.instances(matches)


def _with_study(caller: Caller, rows: list[Row]) -> list[Row]:
    """Each row with the attributes of its study (10.6.3.3.2 and .3), where they may be known."""
    if caller.session.identity is None or not rows:
        return rows
    uids = tuple(dict.fromkeys(str(row["StudyInstanceUID"]) for row in rows))
    found = caller.searching.studies(Matches(study_uids=uids))
    known = {study.uid: _study(caller.identified(study), ()) for study in found}
    return [{**known.get(str(row["StudyInstanceUID"]), {}), **row} for row in rows]


def _study(row: Row, wanted: Iterable[str]) -> Row:
    known = {name: row[name] for name in (*STUDY_IF_KNOWN, *wanted) if name in row}
    return {**{name: row.get(name, "") for name in STUDY}, **known}


def _attributes(row: Row, level: str, base: str, included: tuple[str, ...]) -> Row:
    """One result: the standard's attributes (Tables 10.6.3-3 to -5) and those asked for."""
    everything = "all" in included
    kept = row
    if level == "study":
        kept = _study(row, row if everything else included)
    elif level == "instance" and not everything:
        wanted = {*INSTANCE, *STUDY, *STUDY_IF_KNOWN, *included}
        kept = {name: value for name, value in row.items() if name in wanted}
    return {**kept, "InstanceAvailability": "ONLINE", "RetrieveURL": _url(row, level, base)}


def _url(row: Row, level: str, base: str) -> str:
    url = f"{base}/studies/{row['StudyInstanceUID']}"
    if level != "study":
        url += f"/series/{row['SeriesInstanceUID']}"
    if level == "instance":
        url += f"/instances/{row['SOPInstanceUID']}"
    return url
