"""FHIR and Elasticsearch: how many patients or documents answer, and nothing of what they say."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from serment.adapters.network.web.client import Browser, Page
from serment.adapters.network.web.sight import Sight
from serment.core.exposure.findings import Readable, Unit, counted
from serment.core.exposure.seen import Answer

_FHIR_JSON: Final = "application/fhir+json, application/json;q=0.8"
FHIR_ROOTS: Final = (
    *("/fhir", "", "/fhir/R4", "/baseR4", "/r4", "/fhir/r4", "/R4", "/api/fhir", "/api/FHIR/R4"),
    *("/hapi-fhir-jpaserver/fhir", "/openmrs/ws/fhir2/R4", "/apis/default/fhir", "/api/fhir/R4"),
    *("/hapi/fhir", "/fhir-server/api/v4", "/FHIR", "/FHIR/R4", "/fhir/R5", "/fhir/stu3"),
    *("/baseDstu3", "/api/v1/fhir", "/v1/fhir", "/api"),
)
_SERVERS: Final = re.compile(
    "HAPI FHIR|Smile CDR|Firely|Vonk|LinuxForHealth|IBM FHIR|Microsoft FHIR|Azure|Medplum|Aidbox|Blaze"
    "|InterSystems|Pathling|OpenMRS|OpenEMR|Orthanc",
    re.IGNORECASE,
)
_VERSION: Final = re.compile(r"v?[0-9][\w.+-]{0,30}", re.ASCII)
_REFUSED: Final = (401, 403)
_COUNT: Final = "/Patient?_summary=count"


def fhir(browser: Browser, sight: Sight, roots: Iterable[str]) -> bool:
    """Ask how many patients there are (FHIR R4 search, `_summary=count`), never for one of them.
    Whether it is FHIR."""
    for root in roots:
        page = browser.get(f"{root}{_COUNT}", _FHIR_JSON)
        said = page.json()
        kind = said.get("resourceType") if isinstance(said, dict) else None
        typed = "fhir+json" in page.headers.get("content-type", "")
        if page.status == 200 and kind == "Bundle":
            sight.answered("fhir", _patients(said))
            _describe(browser, sight, root)
            return True
        if page.status in _REFUSED and (
            kind == "OperationOutcome" or typed or _is_fhir(browser, root)
        ):
            sight.refused("fhir", page.status)
            _describe(browser, sight, root)
            return True
    return False


def elasticsearch(browser: Browser, sight: Sight, first: Page) -> None:
    """Whether the first page is Elasticsearch's (or OpenSearch's), and how many documents it has."""
    said = first.json()
    if not isinstance(said, dict):
        return
    if first.status == 401:
        _refusing(sight, first, said)
        return
    version = said.get("version")
    if not isinstance(version, dict) or "cluster_name" not in said or "number" not in version:
        return
    sight.protocol = "elasticsearch"
    count = browser.get("/_count", "application/json")
    known = count.json()
    rows = known.get("count") if isinstance(known, dict) else None
    readable = counted(rows, Unit.ROWS) if isinstance(rows, int) else None
    is_other = version.get("distribution") == "opensearch"
    sight.answered("elasticsearch", readable, "OpenSearch" if is_other else "Elasticsearch")
    sight.version = str(version["number"])
    sight.login = Answer.REFUSED


def _refusing(sight: Sight, first: Page, said: dict[str, Any]) -> None:
    """Elasticsearch with its security on tells in JSON why it refuses; OpenSearch does not."""
    error = said.get("error")
    is_its = isinstance(error, dict) and error.get("type") == "security_exception"
    if is_its or first.headers.get("x-elastic-product") == "Elasticsearch":
        sight.protocol = "elasticsearch"
        sight.refused("elasticsearch", first.status, "Elasticsearch")


def _is_fhir(browser: Browser, root: str) -> bool:
    """Whether a place that refuses has a public statement of what it is."""
    if not root:
        return False
    said = browser.get(f"{root}/metadata", _FHIR_JSON).json()
    return isinstance(said, dict) and said.get("resourceType") == "CapabilityStatement"


def _describe(browser: Browser, sight: Sight, root: str) -> None:
    """Which server it is, of those known here: what others call themselves is anybody's text."""
    said = browser.get(f"{root}/metadata", _FHIR_JSON).json()
    software = said.get("software") if isinstance(said, dict) else None
    if not isinstance(software, dict):
        return
    named = _SERVERS.search(str(software.get("name", "")))
    version = str(software.get("version", ""))
    if named and _VERSION.fullmatch(version):
        sight.version = sight.version or version
    sight.product = sight.product or (named[0] if named else "")


def _patients(bundle: dict[str, Any]) -> Readable | None:
    total, entries = bundle.get("total"), bundle.get("entry")
    if isinstance(total, int) and not isinstance(total, bool):
        return counted(total, Unit.PATIENTS)
    return counted(len(entries), Unit.PATIENTS) if isinstance(entries, list) else None
