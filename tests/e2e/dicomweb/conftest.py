"""One running practice for all of these tests; each stores what it looks for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.e2e.dicomweb.clinic import Clinic, running, samples
from tests.e2e.serving import new_vault


@pytest.fixture(scope="package")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    """With a doctor, a secretary and a device."""
    vault = new_vault(tmp_path_factory.mktemp("dicomweb"))
    added = vault.json("device", "add", "Scanner", "--ae", "CT1", "--address", "127.0.0.1")
    with running(vault) as found:
        found.device = added["token"]
        found.doctor, found.secretary = found.unlock("docteur"), found.unlock("secretaire")
        yield found


@pytest.fixture(scope="package")
def filled(clinic: Clinic) -> Clinic:
    """With everything of pydicom's test files that can be stored."""
    for start in range(0, len(samples()), 20):
        clinic.store(*(sample.data for sample in samples()[start : start + 20]))
    return clinic
