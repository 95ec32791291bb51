"""A web server that answers nobody under its address is called by the names it was given by, or has."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.e2e.network.certificates import certificate
from tests.unit.network.calling import HOST, call
from tests.unit.network.test_web_leads import orthanc_at, site

from serment.adapters.network.probes import dicom, http
from serment.adapters.network.recognise import converse
from serment.core.exposure.seen import Answer, Http, Service

NAME = "images.cabinet.example"
GIVEN = ((HOST, NAME),)


def asked(port: int, names: tuple[tuple[str, str], ...]) -> Service:
    return converse(call(port, names=names), (dicom.PROBE, http.PROBE))


def is_open(service: Service) -> bool:
    web = service.facts
    return isinstance(web, Http) and (web.application, web.interface) == ("orthanc", Answer.YES)


@pytest.mark.parametrize("strict", ["page", "tls"])
def test_one_that_refuses_its_address_is_called_by_the_name_it_was_given_by(
    tmp_path: Path, strict: str
) -> None:
    cert, key = map(str, certificate(tmp_path, "device.example", bits=0))
    with site(orthanc_at(""), name=NAME, strict=strict, certificate=cert, key=key) as port:
        found = asked(port, GIVEN)
        assert is_open(found)
        assert found.tls is not None
        assert found.tls.versions
        assert found.tls.key_kind == "EC"
        assert not is_open(asked(port, ((HOST, "autre.example"),)))


def test_one_that_hangs_up_is_called_by_the_name_of_its_certificate(tmp_path: Path) -> None:
    cert, key = map(str, certificate(tmp_path, NAME, bits=0))
    with site(orthanc_at(""), name=NAME, strict="page", certificate=cert, key=key) as port:
        assert is_open(asked(port, ()))


def test_one_in_clear_is_called_by_the_name_too() -> None:
    with site(orthanc_at(""), name=NAME, strict="page") as port:
        assert is_open(asked(port, GIVEN))
        assert asked(port, ()).protocol in ("unknown", "silent")
