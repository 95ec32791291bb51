"""Which files of a listing look like health data: by name and extension, never by content.

For directory listings of the web, FTP and shares. A name that says nothing medical and has a
harmless extension is nothing; tables, archives and documents whose names tell neither of patients, nor
of a person, nor of an extract (price lists, manuals, programs) are "other". Only the number in each class
leaves the process that saw the names.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from serment.core.exposure.names import has_capitals_of_a_person, is_a_person

_BY_EXTENSION: Final = {
    "dicom": ("dcm", "dicom", "dic", "ima", "acr"),
    "table": ("csv", "tsv", "xls", "xlsx", "ods"),
    "database": (
        *("sql", "mdb", "accdb", "sqlite", "sqlite3", "db", "dbf", "fdb", "gdb", "bak", "dump"),
        *("dmp", "mdf", "hl7", "hpr", "hprim", "cda", "ndjson", "fhir"),
    ),
    "archive": ("zip", "7z", "rar", "tar", "tgz", "gz", "bz2", "xz", "iso", "bkf", "vhd", "vhdx"),
    "document": ("pdf", "doc", "docx", "odt", "rtf", "eml", "msg", "pst", "apz", "mht"),
}
_CLASS_OF: Final = {ending: name for name, endings in _BY_EXTENSION.items() for ending in endings}
_DICOM_NAMES: Final = re.compile(r"dicomdir|(?:im|img|i|se|st|pa)\d{3,8}", re.IGNORECASE)
_UID_NAME: Final = re.compile(
    r"(?:(?:ct|mr|us|cr|dx|mg|sc|pt|nm|xa)\.)?[12]\.\d+(?:\.\d+){4,}", re.I
)
_MEDICAL: Final = re.compile(
    r"patient|dicom|pacs|radio|scanner|(?<![a-z])(?:irm|nir|hl7)(?![a-z])|echograph|mammo|ordonnance|compte.?rendu|analyse|labo"
    r"|bilan|resultat|résultat|consult|dossier|medic|médic|sante|santé|health|hprim|s[eé]curit[eé].?sociale"
    r"|mutuelle|grossesse|carte.?vitale|vaccin|covid|biolog|examen|clinique|hopital|hôpital|study|studies|worklist",
    re.IGNORECASE,
)
_EXTRACT: Final = re.compile(
    r"export|extract|extrait|backup|sauvegard|dump|archiv|courrier|lettre|factur(?:e|ation)|agenda|planning"
    r"|rendez.?vous|(?<![a-z])(?:rdv|base|bdd|cr|crh|cro|fse|nss|dmp)(?![a-z])",
    re.IGNORECASE,
)
_DAY: Final = re.compile(  # a year, or a day of one
    r"(?<!\d)(?:[0-3]\d[-_.]?[01]\d[-_.]?)?(?:19|20)\d\d(?:[-_.]?[01]\d[-_.]?[0-3]\d)?(?!\d)"
)
_NUMBER: Final = re.compile(r"\d{8,}", re.ASCII)
_HARMLESS: Final = re.compile(  # what anybody may read: a year or two capitals say nothing there
    r"(?<![a-zà-ÿ])(?:catalogues?|tarifs?|prix|prices?|manuals?|manuel|guides?|notices?|conditions|cgu|cgv"
    r"|brochures?|plaquettes?|install(?:ation)?|read.?me|licen[cs]es?|changelog|setup|drivers?|pilotes?|firmware"
    r"|user|datasheet|horaires?|acc[eè]s|menu|flyer|affiche|r[eè]glement|charte|mentions|pr[eé]sentation"
    r"|documentation|download|version|release|update|tutorial|tutoriel|whitepaper|terms|privacy|policy|politique"
    r"|template|newsletter|software|logiciel|annual|annuel)(?![a-zà-ÿ])",
    re.IGNORECASE,
)
_MAY_BE_ANYTHING: Final = frozenset({"archive", "document", "table"})
OTHER: Final = "other"
_PLAIN_TEXT: Final = frozenset({"txt", "xml", "json", "jpg", "jpeg", "png", "tif", "tiff", "log"})
_LONGEST: Final = 300  # characters of a name that are looked at
_LONGEST_PATH: Final = 8192
_CALM: Final = frozenset({"archive", "database"})  # kinds that programs have as well
_MESSAGES: Final = frozenset({"hl7", "hpr", "hprim", "cda", "fhir"})  # and that no program has
_PROGRAM: Final = re.compile(
    r"(?:^|[-_.])(?:src|source|setup|install|driver|firmware|linux|win(?:32|64|dows)?|node|lib|"
    r"release|package|theme|plugin|thumbs|desktop)(?=[-_.\d]|$)",
    re.IGNORECASE,
)


def classify(name: str) -> str | None:
    """The class of one file's name: "dicom", "table", "database", "archive", "document", "other" or
    None.

    >>> classify("export_patients_2019.csv"), classify("style.css"), classify("IM000012")
    ('table', None, 'dicom')
    >>> classify("tarifs.pdf"), classify("MARTIN Zoe.pdf"), classify("base_2019.zip")
    ('other', 'document', 'archive')
    """
    name = unicodedata.normalize("NFC", name[:_LONGEST_PATH])  # as macOS does not write it
    short = name.rstrip("/").rpartition("/")[2][:_LONGEST]
    stem, dot, ending = short.rpartition(".")
    if _DICOM_NAMES.fullmatch(short) or _UID_NAME.fullmatch(stem if _is_known(ending) else short):
        return "dicom"
    found = _CLASS_OF.get(ending.lower()) if dot else None
    if found in _CALM and _is_program(stem, ending):
        return None
    if found == "document" and _is_of_a_person(stem):
        return found
    if found in _MAY_BE_ANYTHING and not (_tells(stem) or _tells(name[:_LONGEST])):
        return OTHER
    if found:
        return found
    if ending.lower() in _PLAIN_TEXT and _MEDICAL.search(stem):
        return "document"
    return None


def count_classes(names: Iterable[str]) -> dict[str, int]:
    """How many names there are of each class.

    >>> count_classes(["a.dcm", "b.dcm", "c.txt", "notes_patient.txt"])
    {'dicom': 2, 'document': 1}
    """
    found: dict[str, int] = {}
    for name in names:
        if kind := classify(name):
            found[kind] = found.get(kind, 0) + 1
    return found


def sounds_medical(name: str) -> bool:
    """Whether a folder's or share's name speaks of patients or examinations."""
    return _MEDICAL.search(name[:_LONGEST]) is not None


def _tells(stem: str) -> bool:
    """Whether a name, or its folders', speaks of patients, of one person, or of an extract of some day."""
    if _MEDICAL.search(stem) or _EXTRACT.search(stem):
        return True
    return not _HARMLESS.search(stem) and bool(_DAY.search(stem) or has_capitals_of_a_person(stem))


def _is_program(stem: str, ending: str) -> bool:
    """Whether a name is a program's, and of no extract. Programs are packed with their version and what
    they run on; their databases are called by one such word and nothing else."""
    ending = ending.lower()
    if _CLASS_OF[ending] == "database":
        return ending not in _MESSAGES and _PROGRAM.fullmatch(stem) is not None
    told = _MEDICAL.search(stem) or _EXTRACT.search(stem)
    return _PROGRAM.search(stem) is not None and not told


def _is_of_a_person(stem: str) -> bool:
    """Whether a document's name is a person's, or a number as long as a patient's."""
    return not _HARMLESS.search(stem) and (_NUMBER.fullmatch(stem) is not None or is_a_person(stem))


def _is_known(ending: str) -> bool:
    return ending.lower() in _CLASS_OF
