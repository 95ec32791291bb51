"""Image servers over the web: Orthanc's REST, dcm4chee, DICOMweb. Patients counted, none kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from serment.adapters.network.web.client import Browser, Page
from serment.adapters.network.web.sight import Sight
from serment.core.exposure.accounts import documented
from serment.core.exposure.findings import COUNTED_TO, Readable, Unit, counted
from serment.core.exposure.seen import Answer

_DICOM_JSON: Final = "application/dicom+json, application/json;q=0.5"
ORTHANC_ROOTS: Final = ("", "/orthanc", "/pacs", "/api")
WEB_ROOTS: Final = (
    *("/dicom-web", "/dicomweb", "/rs", "", "/dicom-web/rs", "/wado-rs", "/qido-rs", "/qido"),
    *("/orthanc/dicom-web", "/dcm4chee-arc/aets/DCM4CHEE/rs", "/pacs", "/pacs/dicom-web"),
    *("/api/dicom-web", "/api/dicomweb", "/dicom/rs", "/pacs/rs", "/api", "/dicom"),
)
_TITLE: Final = re.compile(r"[\w.-]{1,16}", re.ASCII)
_STUDY_UID: Final = "0020000D"
_PATIENT_ID: Final = "00100020"
_AETS: Final = 3


def orthanc(browser: Browser, sight: Sight, roots: Iterable[str]) -> bool:
    """Orthanc's own REST interface; whether it is there. Its documented account only when the order
    says so."""
    for root in roots:
        page = browser.get(f"{root}/system", "application/json")
        said = page.json()
        if page.status == 200 and isinstance(said, dict) and _is_orthanc(said):
            _opened(browser, sight, said, root)
            return True
        if page.status in (401, 403) and _names_orthanc(page, sight):
            sight.refused("orthanc", page.status, "Orthanc")
            _sign_in(browser, sight, page, root)
            return True
    return False


def _sign_in(browser: Browser, sight: Sight, page: Page, root: str) -> None:
    """Orthanc's documented account, once."""
    (account,) = documented("orthanc")
    if page.status != 401 or not browser.call.may_try(account):
        return
    browser.drop()  # a connection that was kept might make it ask twice
    answer = browser.get(f"{root}/system", "application/json", (account.user, account.password))
    accepted = answer.status == 200
    sight.default_account = Answer.YES if accepted else Answer.REFUSED
    if accepted and isinstance(known := answer.json(), dict):
        sight.version = str(known.get("Version", ""))


def dcm4chee(browser: Browser, sight: Sight) -> list[str]:
    """dcm4chee's list of titles; the roots of their DICOMweb interfaces."""
    page = browser.get("/dcm4chee-arc/aets", "application/json")
    said = page.json()
    if page.status in (401, 403) and sight.application == "dcm4chee":
        sight.refused("dcm4chee", page.status, "dcm4chee")
    if page.status != 200 or not isinstance(said, list):
        return []
    titles = [str(each.get("dicomAETitle")) for each in said if isinstance(each, dict)]
    known = [title for title in titles if _TITLE.fullmatch(title) and title != "None"]
    if known:
        sight.answered("dcm4chee", None, "dcm4chee")
    return [f"/dcm4chee-arc/aets/{title}/rs" for title in known[:_AETS]]


def dicomweb(browser: Browser, sight: Sight, roots: Iterable[str]) -> bool:
    """QIDO-RS (PS3.18 10.6): one study asked for; where it comes, patients are counted. Whether it
    came."""
    for root in roots:
        page = browser.get(f"{root}/studies?limit=1", _DICOM_JSON)
        if page.status in (401, 403) and _mentions_dicom(page):
            sight.refused("dicomweb", page.status)
        if _is_qido(page):
            sight.answered("dicomweb", _count_patients(browser, root))
            return True
    return False


def _opened(browser: Browser, sight: Sight, system: dict[str, Any], root: str) -> None:
    sight.application = "orthanc"
    sight.answered("orthanc", None, "Orthanc")
    sight.product, sight.version = "Orthanc", str(system.get("Version", ""))
    statistics = browser.get(f"{root}/statistics", "application/json").json()
    patients = statistics.get("CountPatients") if isinstance(statistics, dict) else None
    if isinstance(patients, int):
        sight.readable = counted(patients, Unit.PATIENTS)
        return
    path = f"{root}/patients?since=0&limit={COUNTED_TO + 1}"
    listed = browser.get(path, "application/json").json()
    if isinstance(listed, list):
        sight.readable = counted(len(listed), Unit.PATIENTS)


def _is_orthanc(system: dict[str, Any]) -> bool:
    if "DicomAet" in system or {"ApiVersion", "Version"} <= system.keys():
        return True
    return "Version" in system and ("DatabaseVersion" in system or "orthanc" in str(system).lower())


def _names_orthanc(page: Page, sight: Sight) -> bool:
    realm = page.headers.get("www-authenticate", "").lower()
    return sight.application == "orthanc" or "orthanc" in realm


def _mentions_dicom(page: Page) -> bool:
    said = " ".join((*page.headers.values(), page.text[:2000])).lower()
    return "dicom" in said


def _is_qido(page: Page) -> bool:
    """Whether it is an answer to a search: studies as DICOM JSON, or none of that type."""
    is_typed = "dicom+json" in page.headers.get("content-type", "")
    if page.status == 204:
        return is_typed
    if page.status != 200:
        return False
    said = page.json()
    if not isinstance(said, list):
        return "multipart/related" in page.headers.get("content-type", "") and (
            b"application/dicom+xml" in page.body[:2000]
        )
    return bool(list(_studies(said))) or (is_typed and not said)


def _studies(said: list[Any]) -> Iterator[dict[str, Any]]:
    return (each for each in said if isinstance(each, dict) and _STUDY_UID in each)


def _count_patients(browser: Browser, root: str) -> Readable:
    """Up to `COUNTED_TO` and one more studies; patients told apart by numbers that are dropped."""
    path = f"{root}/studies?limit={COUNTED_TO + 1}&includefield={_PATIENT_ID}"
    said = browser.get(path, _DICOM_JSON).json()
    studies = list(_studies(said)) if isinstance(said, list) else []
    known = [_patient(each) for each in studies[:COUNTED_TO]]
    if any(each is None for each in known) or not studies:
        return counted(len(studies), Unit.STUDIES)
    return counted(len(set(known)), Unit.PATIENTS, more=len(studies) > COUNTED_TO)


def _patient(study: dict[str, Any]) -> int | None:
    element = study.get(_PATIENT_ID)
    values = element.get("Value") if isinstance(element, dict) else None
    first = values[0] if isinstance(values, list) and values else None
    return hash(first) if first and isinstance(first, str) else None
