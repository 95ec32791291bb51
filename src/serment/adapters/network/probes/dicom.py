"""DICOM (PS3.8): who is let in, under which title, what for, and how many patients are readable.

An unknown caller asks with a title nobody has; where that is refused for the title, with the usual
ones, slowly. Answers to queries are counted and forgotten. No image is sent or retrieved.
"""

from __future__ import annotations

import contextlib
import re
import time
from dataclasses import replace
from typing import Final

from serment.adapters.network.association import (
    Association,
    Counted,
    Refusal,
    open_association,
)
from serment.adapters.network.line import Ended, Gone
from serment.adapters.network.probing import NONSENSE, Call, Heard, Probe
from serment.core.dicom import asking
from serment.core.exposure.findings import COUNTED_TO, Readable, Unit
from serment.core.exposure.seen import NOT_NOW, Answer, Dicom

NOBODY: Final = "SERMENT-ANYBODY"  # a called title that no node has
TITLE_SECONDS: Final = 0.04  # between two titles: at most 25 a second
PAUSE_SECONDS: Final = 1.0  # before the one more try where there is no place for the moment
QUERY_SECONDS: Final = 8.0  # for all answers to one query
_PRODUCTS: Final = (
    (re.compile(r"OFFIS_DCMTK_(\d)(\d)(\d)"), "DCMTK"),
    (re.compile(r"PYNETDICOM_(\d)(\d)(\d)"), "pynetdicom"),
    (re.compile(r"dcm4che-(\d+)\.(\d+)\.(\d+)", re.I), "dcm4che"),
    (re.compile(r"fo-dicom (\d+)\.(\d+)\.(\d+)", re.I), "fo-dicom"),
    (re.compile(r"GDCM (\d+)\.(\d+)\.(\d+)", re.I), "GDCM"),
    (re.compile(r"SERMENT_(\d+)"), "Serment"),
    (re.compile(r"ORTHANC", re.I), "Orthanc"),
    (re.compile(r"CONQUEST|UCDMC", re.I), "Conquest"),
    (re.compile(r"CLEARCANVAS", re.I), "ClearCanvas"),
    (re.compile(r"DICOOGLE", re.I), "Dicoogle"),
    (re.compile(r"MERGECOM", re.I), "MergeCOM"),
)


def talk(call: Call) -> Heard | None:
    """Ask for an association as anybody, then under the usual titles."""
    opened = open_association(call.line(), NOBODY)
    if opened is None:
        return None
    call.understood()
    if opened is Refusal.NOT_NOW:
        opened = _opened(call, NOBODY, PAUSE_SECONDS) or opened
    if isinstance(opened, Refusal):
        return _refused(call, opened)
    call.heard = _introduced(opened, Dicom(any_title=True, title=""))
    _ask(call, opened, NOBODY)
    return call.heard


def _refused(call: Call, refusal: Refusal) -> Heard:
    reason = refusal.value
    call.heard = Heard("dicom", facts=Dicom(refusal=reason))
    if refusal not in (Refusal.CALLED, Refusal.OTHER):
        return call.heard  # no title would help, or it asks to be left alone
    spent = 0.0
    for tried, title in enumerate(call.order.titles, 1):
        _note(call, refusal=NOT_NOW)  # until this one is answered, and those after it
        time.sleep(max(0.0, TITLE_SECONDS - spent))
        before = call.budget.left
        found = _opened(call, title)
        spent = before - call.budget.left
        if isinstance(found, Association):
            facts = Dicom(title=title, titles_tried=tried, refusal=reason)
            call.heard = _introduced(found, facts)
            _ask(call, found, title)
            return call.heard
        _note(call, titles_tried=tried)
        if found is None or found is Refusal.NOT_NOW:
            return call.heard
        if found is Refusal.CALLING:  # the title is right, and does not suffice
            reason = found.value
            break
    _note(call, refusal=reason)
    return call.heard


def _opened(call: Call, title: str, pause: float = 0.0) -> Association | Refusal | None:
    """Ask for an association, after a pause; once more where it is refused for the moment: small nodes
    take some time to notice that the one before is over."""
    time.sleep(pause)
    opened = open_association(call.line(), title)
    if opened is Refusal.NOT_NOW and not pause:
        return _opened(call, title, PAUSE_SECONDS)
    return opened


def _introduced(association: Association, facts: Dicom) -> Heard:
    said = association.accept.implementation_version
    product, version = "", ""
    for pattern, name in _PRODUCTS:
        if found := pattern.search(said):
            product, version = name, ".".join(found.groups())
            break
    facts = replace(facts, accepted=association.labels)
    return Heard("dicom", product, version, said, facts)


def _ask(call: Call, first: Association, title: str) -> None:
    """Count; who hung up on a query refuses it if he is well otherwise, as Orthanc does with strangers."""
    before = _known(call).refusal
    _count(call, first, title)
    if _known(call).refusal == NOT_NOW and _is_well(call, title):
        _note(call, refusal=before, hangs_up=True)


def _count(call: Call, first: Association, title: str) -> None:
    """Count patients and appointments; what is known is kept after each answer."""
    with first:
        labels = first.labels
        if first.accepts(asking.STUDY_ROOT_FIND):
            counted = _query(call, first, asking.STUDY_ROOT_FIND, "study")
            if not counted.answers and not first.is_over:  # it may want the query to be restricted
                counted = _query(call, first, asking.STUDY_ROOT_FIND, "dated study", counted)
        else:
            counted = Counted(Answer.NOT_ASKED)
        if "worklist" in labels and not first.is_over:
            _worklist(call, first)
            labels -= {"worklist"}
        by_patient = first.accepts(asking.PATIENT_ROOT_FIND) and _is_unsure(counted)
    if by_patient and (again := _again(call, title)):
        with again:
            _query(call, again, asking.PATIENT_ROOT_FIND, "patient", counted)
    if counted.answer is Answer.NOTHING:
        return  # it takes its time: a second query would only be a burden
    if "worklist" in labels and (again := _again(call, title)):
        with again:
            _worklist(call, again)


def _is_unsure(counted: Counted) -> bool:
    """Whether the patient root would count patients better than the answers about studies did."""
    if counted.answer is Answer.YES:
        return counted.capped and counted.count < COUNTED_TO
    return counted.answer is not Answer.NOTHING


def _again(call: Call, title: str) -> Association | None:
    """A second association; None when it is no longer given."""
    with contextlib.suppress(Ended, *NONSENSE):
        opened = _opened(call, title)
        if isinstance(opened, Association):
            return opened
    return None


def _is_well(call: Call, title: str) -> bool:
    """Whether it still gives associations, and echoes."""
    with contextlib.suppress(Ended, *NONSENSE):
        if again := _again(call, title):
            with again:
                return again.echoes()
    return False


def _query(
    call: Call,
    association: Association,
    sop_class: str,
    level: str,
    before: Counted | None = None,
) -> Counted:
    counted = _counted(call, association, sop_class, level)
    if before and (counted.answer is not Answer.YES or counted.count < before.count):
        counted = before  # the better of two countings
    _note(call, studies=counted.answer, patients=_readable(counted))
    return counted


def _worklist(call: Call, association: Association) -> None:
    counted = _counted(call, association, asking.WORKLIST_FIND, "worklist")
    _note(call, worklist=counted.answer, appointments=_entries(counted))


def _counted(call: Call, association: Association, sop_class: str, level: str) -> Counted:
    """Count; a node that hangs up instead of answering has refused, or is about to stop."""
    counted = Counted()
    try:
        with call.budget.within(QUERY_SECONDS):
            association.count(sop_class, level, counted)
    except Gone:
        counted.answer = Answer.YES if counted.answers else Answer.REFUSED
        if not counted.answers:
            _note(call, refusal=NOT_NOW)
    except (Ended, *NONSENSE):
        counted.capped = counted.answers > 0  # cut short: there may be more
    return counted


def _readable(counted: Counted) -> Readable | None:
    if counted.answer is not Answer.YES:
        return None
    return Readable(counted.count, counted.capped, Unit.PATIENTS)


def _entries(counted: Counted) -> Readable | None:
    """Appointments are counted as they come: one patient may have several."""
    if counted.answer is not Answer.YES:
        return None
    return Readable(counted.answers, counted.capped, Unit.ROWS)


def _note(call: Call, **known: object) -> None:
    assert call.heard is not None
    facts = replace(_known(call), **known)  # type: ignore[arg-type]
    call.heard = replace(call.heard, facts=facts)


def _known(call: Call) -> Dicom:
    assert call.heard is not None
    assert isinstance(call.heard.facts, Dicom)
    return call.heard.facts


PROBE = Probe(
    "dicom",
    talk,
    usual=frozenset({104, 105, 2104, 2761, 2762, 4006, 4242, 11110, 11111, 11112, 11113}),
    rank=10,
    window=0.7,  # who is slower is woken, and has that time as well
    begins=(b"\x02\0\0\0", b"\x03\0\0\0\0\x04", b"\x07\0\0\0\0\x04"),
)
