"""QIDO-RS (PS3.18 10.6): search at study, series and instance level.

A secretary's session answers at study level only: below it no key of hers opens anything. A
search over all series or instances also says what study each belongs to, as far as the session
holds an identity circle; so does one within a study whose UID several patients have.
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
from serment.entrypoints.dicomweb.instances import SEVERAL, uids_of
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
OURS = "Envelopes"  # in a row: what tells two patients under one UID apart; never sent

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
    shared = _is_shared(caller, rows, level)
    if level != "study" and (shared or not uids):
        rows = _with_study(caller, rows)
    warnings = [MORE] if page.more else []
    if shared and uids:
        warnings.append(SEVERAL)
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
    found: dict[tuple[str, str], Row] = {}
    for one in alternatives:  # each may fill the page; none knows what the others leave of it
        matches = replace(Matches(**one.matches()), limit=end + 1, offset=0)
        for row in _level(caller, matches, level):
            found.setdefault((str(row[KEY[level]]), row[OURS][0]), row)
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
        found = caller.searching.studies(matches)
        return [{**caller.identified(study), OURS: study.envelopes} for study in found]
    if level == "series":
        return caller.searching.series(matches)
    return caller.searching.instances(matches)


def _is_shared(caller: Caller, rows: list[Row], level: str) -> bool:
    """Whether several patients have something of one study UID."""
    if level == "study":
        return len({row["StudyInstanceUID"] for row in rows}) < len(rows)
    brought: dict[str, set[str]] = {}
    for row in rows:
        brought.setdefault(str(row["StudyInstanceUID"]), set()).update(row[OURS])
    several = [each for each in brought.values() if len(each) > 1]
    people = caller.searching.people(set().union(*several)) if several else {}
    return any(len({people[one] for one in each}) > 1 for each in several)


def _with_study(caller: Caller, rows: list[Row]) -> list[Row]:
    """Each row with the attributes of its study (10.6.3.3.2 and .3), where they may be known."""
    if caller.session.identity is None or not rows:
        return rows
    envelopes = tuple(dict.fromkeys(each for row in rows for each in row[OURS]))
    known: dict[str, Row] = {}
    for study in caller.searching.studies(Matches(envelopes=envelopes)):
        known |= dict.fromkeys(study.envelopes, _study(caller.identified(study), ()))
    return [{**known.get(row[OURS][0], {}), **row} for row in rows]


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
