"""The peers start on loopback, take what the demonstration sends, and leave nothing behind."""

from __future__ import annotations

import json
from pathlib import Path

import psutil
import pytest
from pydicom import dcmread

from serment.entrypoints.demo.studies import practice


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("sent")
    paths = []
    for number, planned in enumerate(practice()):
        for item, part10 in enumerate(planned.files()):
            paths.append(folder / f"{number}-{item}.dcm")
            paths[-1].write_bytes(part10)
    return paths


def _gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.mark.real("orthanc")
def test_orthanc_takes_every_fictional_study_over_the_web(sent: list[Path], tmp_path: Path) -> None:
    from bench import clients, peers

    with peers.orthanc(tmp_path / "orthanc") as peer:
        web = clients.Web(peer)
        answer = json.loads(web.stow(clients.stow_body(sent)))
        assert len(answer["00081199"]["Value"]) == len(sent)
        studies = json.loads(web.get("/studies", "application/dicom+json"))
        assert len(studies) == len(practice())
        web.close()
        assert peer.cpu_seconds() > 0
        assert peer.peak_bytes() > 1 << 20
    assert _gone(peer.process.pid)


@pytest.mark.real("dcmtk")
def test_stock_storescu_sends_to_storescp_with_several_associations(
    sent: list[Path], tmp_path: Path
) -> None:
    from bench import clients, peers, samples

    slices = samples.ct_slices(tmp_path / "ct", 6)
    with peers.storescp(tmp_path / "scp", peers.NODELAY) as peer:
        assert clients.storescu(peer, slices, 3, peers.NODELAY) > 0
        received = list((tmp_path / "scp" / "received").iterdir())
    assert {dcmread(path).SOPInstanceUID for path in received} == {s.instance for s in slices}
    assert _gone(peer.process.pid)


@pytest.mark.real("dcmtk")
def test_a_client_that_is_refused_says_so(tmp_path: Path) -> None:
    from bench import clients, peers, samples

    with peers.pynetdicom_storescp(tmp_path / "scp") as peer:
        small = samples.small_studies(tmp_path / "small", 2)
        assert clients.storescu(peer, small) > 0
    with pytest.raises(RuntimeError):
        clients.storescu(peer, small)


@pytest.mark.parametrize("how", ["serment", "serment_without_tls"])
def test_serment_takes_them_with_tls_and_for_the_bench_alone_without(
    how: str, sent: list[Path], tmp_path: Path
) -> None:
    from bench import clients, vault

    template = vault.found(tmp_path / "practice")
    with getattr(vault, how)(template, tmp_path / "run") as peer:
        web = clients.Web(peer)
        assert peer.web.startswith("https://" if how == "serment" else "http://")
        answer = json.loads(web.stow(clients.stow_body(sent)))
        assert len(answer["00081199"]["Value"]) == len(sent)
        web.close()
        children = peer.processes()
    assert len(children) > 2
    assert all(_gone(child.pid) for child in children)


def test_what_is_not_installed_is_said() -> None:
    from bench import peers

    with pytest.raises(peers.Missing, match="make components"):
        peers.find("no-such-archive")
