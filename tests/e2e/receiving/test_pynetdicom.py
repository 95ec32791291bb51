"""pynetdicom as a second, independent client of our provider."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGBaseline8Bit
from pynetdicom import AE, build_role
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import (
    AsynchronousOperationsWindowNegotiation,
    UserIdentityNegotiation,
)
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    CTImageStorage,
    PatientRootQueryRetrieveInformationModelFind,
    Verification,
)

from serment.adapters.memory.receiver import MemoryReceiver
from serment.entrypoints.demo.sending import answer_the_caller
from serment.errors import AccessDenied


@pytest.fixture
def ct() -> Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dcmread(str(get_testdata_file("CT_small.dcm")))


def associate(running: Any, ext_neg: list[Any] | None = None, title: str = "PYNET") -> Association:
    ae = AE(title)
    ae.add_requested_context(Verification)
    ae.add_requested_context(CTImageStorage, [JPEGBaseline8Bit])
    ae.add_requested_context(CTImageStorage, [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
    ae.add_requested_context(PatientRootQueryRetrieveInformationModelFind)
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 20
    association = ae.associate(*running.address, ext_neg=ext_neg)
    answer_the_caller(association)
    return association


@pytest.fixture
def association(serve: Any) -> Iterator[tuple[Any, Association]]:
    running = serve()
    found = associate(running)
    assert found.is_established
    yield running, found
    found.release()


def test_echo_and_contexts(association: tuple[Any, Association]) -> None:
    _running, made = association
    assert made.send_c_echo().Status == 0
    assert len(made.accepted_contexts) == 3
    assert [c.result for c in made.rejected_contexts] == [3]


def test_stores_are_whole(association: tuple[Any, Association], ct: Dataset) -> None:
    running, made = association
    for number in range(5):
        ct.SOPInstanceUID = f"2.25.{number + 1}"
        assert made.send_c_store(ct).Status == 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import io

        kept = [dcmread(io.BytesIO(k.data)) for k in running.receiver.kept]
    assert [k.SOPInstanceUID for k in kept] == [f"2.25.{n}" for n in range(1, 6)]
    assert kept[4] == ct


def test_extended_negotiation(serve: Any, ct: Dataset) -> None:
    window = AsynchronousOperationsWindowNegotiation()
    window.maximum_number_operations_invoked = 5
    window.maximum_number_operations_performed = 5
    identity = UserIdentityNegotiation()
    identity.user_identity_type = 1
    identity.primary_field = b"dupont"
    identity.positive_response_requested = True
    running = serve()
    made = associate(
        running, [build_role(CTImageStorage, scu_role=True, scp_role=True), window, identity]
    )
    assert made.is_established
    answer = made.acceptor.primitive
    assert answer is not None
    assert made.acceptor.asynchronous_operations == (1, 1)
    role = made.acceptor.role_selection[CTImageStorage]
    assert (role.scu_role, role.scp_role) == (True, False)
    assert made.send_c_store(ct).Status == 0
    made.release()


def test_a_refused_store_says_why(serve: Any, ct: Dataset) -> None:
    running = serve(MemoryReceiver(refusal=AccessDenied("no doctor yet")))
    made = associate(running)
    status = made.send_c_store(ct)
    assert status.Status == 0x0124
    assert status.ErrorComment == "no doctor yet"
    made.release()


def test_an_unknown_caller_is_rejected(serve: Any, made: Any) -> None:
    running = serve(MemoryReceiver([made.device()]))
    found = associate(running, title="NOBODY")
    # On a busy machine pynetdicom now and then calls a rejection an abort.
    assert found.is_rejected or found.is_aborted
    assert [r.calling for r in running.receiver.refusals] == ["NOBODY"]
