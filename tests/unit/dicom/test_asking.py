"""Queries that count: what is sent is what the standard says, and answers are read without trust."""

from __future__ import annotations

import contextlib
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence
from pynetdicom.dsutils import decode as their_decode
from pynetdicom.pdu import A_ASSOCIATE_RQ

from serment.core.dicom import asking, requestor
from serment.core.dicom.known import EXPLICIT_LITTLE, IMPLICIT_LITTLE
from serment.core.dicom.pdu import ContextResult, PresentationContext
from serment.errors import FormatError

SYNTAXES = (IMPLICIT_LITTLE, EXPLICIT_LITTLE)
BODY = 6


def answer(patient: str, syntax: str, undefined: bool = False) -> bytes:
    """What an archive answers: a reference before the patient, one of undefined length if asked."""
    inner = Dataset()
    inner.ReferencedSOPInstanceUID = "2.25.1"
    found = Dataset()
    found.QueryRetrieveLevel = "STUDY"
    found.ReferencedStudySequence = Sequence([inner])
    found["ReferencedStudySequence"].is_undefined_length = undefined
    inner.is_undefined_length_sequence_item = undefined
    found.PatientName = "FICTIF^Nemo"
    found.PatientID = patient
    found.StudyInstanceUID = "2.25.2"
    out = DicomBytesIO()
    out.is_little_endian, out.is_implicit_VR = True, syntax == IMPLICIT_LITTLE
    write_dataset(out, found)
    return out.getvalue()


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("undefined", [True, False])
def test_patients_are_told_apart_and_not_named(syntax: str, undefined: bool) -> None:
    one = asking.whose(answer("FICTIF1", syntax, undefined), syntax)
    assert isinstance(one, int)
    assert one == asking.whose(answer("FICTIF1", syntax, undefined), syntax)
    assert one != asking.whose(answer("FICTIF2", syntax, undefined), syntax)


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_queries_are_what_another_library_reads(syntax: str) -> None:
    implicit = syntax == IMPLICIT_LITTLE
    study = their_decode(BytesIO(asking.study_query(syntax)), implicit, True)
    assert (study.QueryRetrieveLevel, study.PatientID, study.StudyInstanceUID) == ("STUDY", "", "")
    patient = their_decode(BytesIO(asking.patient_query(syntax)), implicit, True)
    assert (patient.QueryRetrieveLevel, str(patient.PatientName)) == ("PATIENT", "")
    worklist = their_decode(BytesIO(asking.worklist_query(syntax)), implicit, True)
    assert "QueryRetrieveLevel" not in worklist
    assert len(worklist.ScheduledProcedureStepSequence) == 0


def test_commands_are_what_another_library_reads() -> None:
    find = their_decode(BytesIO(asking.build_find(asking.STUDY_ROOT_FIND, 7)), True, True)
    assert (find.CommandField, find.MessageID, find.CommandDataSetType) == (0x20, 7, 1)
    assert find.AffectedSOPClassUID == asking.STUDY_ROOT_FIND
    cancel = their_decode(BytesIO(asking.build_cancel(7)), True, True)
    assert (cancel.CommandField, cancel.MessageIDBeingRespondedTo) == (0x0FFF, 7)
    echo = their_decode(BytesIO(asking.build_echo(3)), True, True)
    assert (echo.CommandField, echo.CommandDataSetType) == (0x30, 0x0101)
    assert find.CommandGroupLength == len(asking.build_find(asking.STUDY_ROOT_FIND, 7)) - 12


def test_an_association_request_is_what_another_library_reads() -> None:
    contexts = (
        PresentationContext(1, asking.STUDY_ROOT_FIND, SYNTAXES),
        PresentationContext(3, asking.WORKLIST_FIND, (EXPLICIT_LITTLE,)),
    )
    theirs = A_ASSOCIATE_RQ()
    theirs.decode(requestor.build_associate_request("PACS", "SERMENT-AUDIT", contexts, 16384))
    assert (theirs.called_ae_title, theirs.calling_ae_title) == ("PACS", "SERMENT-AUDIT")
    assert [each.abstract_syntax for each in theirs.presentation_context] == [
        asking.STUDY_ROOT_FIND,
        asking.WORKLIST_FIND,
    ]
    assert theirs.presentation_context[0].transfer_syntax == list(SYNTAXES)


def accepted(result: int = 0) -> bytes:
    syntax = b"\x40\0\0\x11" + IMPLICIT_LITTLE.encode()
    context = b"\x21\0" + (4 + len(syntax)).to_bytes(2, "big") + bytes([1, 0, result, 0]) + syntax
    name = b"OFFIS_DCMTK_367"
    user = b"\x51\0\0\x04\0\0\x40\0" + b"\x55\0" + len(name).to_bytes(2, "big") + name
    return bytes(68) + context + b"\x50\0" + len(user).to_bytes(2, "big") + user


def test_an_acceptance_is_read() -> None:
    read = requestor.parse_associate_accept(accepted())
    assert read.max_length == 0x4000
    assert read.implementation_version == "OFFIS_DCMTK_367"
    assert [(r.id, r.result, r.transfer_syntax) for r in read.replies] == [
        (1, ContextResult.ACCEPTED, IMPLICIT_LITTLE)
    ]
    refused = requestor.parse_associate_accept(accepted(3)).replies[0]
    assert refused.result is ContextResult.ABSTRACT_SYNTAX_NOT_SUPPORTED
    assert requestor.parse_associate_accept(accepted(99)).replies[0].result is (
        ContextResult.NO_REASON
    )


@pytest.mark.parametrize("cut", range(69, len(accepted())))
def test_an_acceptance_cut_short_is_refused(cut: int) -> None:
    data = accepted()[:cut]
    if cut == 68 + 4 + 4 + 4 + 17:
        return  # a whole item: the user information is missing, which costs nothing
    with pytest.raises(FormatError):
        requestor.parse_associate_accept(data)


@given(st.binary(max_size=300), st.sampled_from(SYNTAXES))
def test_no_answer_is_more_than_a_format_error(untrusted: bytes, syntax: str) -> None:
    for read in (
        lambda: asking.whose(untrusted, syntax),
        lambda: asking.parse_reply(untrusted),
        lambda: requestor.parse_associate_accept(bytes(68) + untrusted),
        lambda: requestor.parse_associate_reject(untrusted),
        lambda: list(requestor.fragments(untrusted)),
    ):
        with contextlib.suppress(FormatError):
            read()


def test_nesting_is_bounded() -> None:
    item = b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    sequence = b"\x08\x00\x10\x11SQ\0\0\xff\xff\xff\xff"
    with pytest.raises(FormatError):
        asking.whose((sequence + item) * 1000, EXPLICIT_LITTLE)
