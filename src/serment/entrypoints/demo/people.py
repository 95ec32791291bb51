"""The fictional people of the demonstration: nobody of these names, numbers and places exists.

Names are invented; INS numbers use the birth place 99 999 (unknown) under the demonstration
authority; telephone numbers are those that Arcep keeps for fiction; the town does not exist.
"""

from __future__ import annotations

from dataclasses import replace

from serment.core.dicom.fictional import FictionalPatient

UTF_8 = "ISO_IR 192"
LATIN_1 = "ISO_IR 100"

PHYSICIANS = (
    "PÉRICHON-VALLÉE^Agnès^^Dr",
    "DELAMARRÈGE^Cédric^^Dr",
    "OZANNEAU-BRIÉ^Solène^^Dr",
)

# name, birth date, sex, street
_PEOPLE = (
    ("LEFÈVRE^Hélène", "19610314", "F", "14 allée des Tilleuls-Rêvés", LATIN_1),
    ("BÉRANGÉ-DUVAL^François", "19480723", "M", "3 impasse du Puits-Inventé", LATIN_1),
    ("KŒNIGSHOFFER^Anaïs", "19921105", "F", "27 quai des Nuées", UTF_8),
    ("GONÇALVÈS-RÉMY^Inès", "19870219", "F", "8 place du Marché-Songé", LATIN_1),
    ("D'ANGLEVILLIÈRE^Jérôme", "19550630", "M", "112 rue de la Fausse-Équerre", UTF_8),
    ("LE GUÉNNÉDIC^Maëlle", "20010908", "F", "5 sentier des Ajoncs-Bleus", LATIN_1),
    ("CASTAÑÉDA-ROUSSEL^Noël", "19391225", "M", "61 cours de l'Île-Absente", UTF_8),
    ("THIBAUDÉAUX^Zoé", "20130417", "F", "19 rue du Préau-Imaginaire", LATIN_1),
    ("SAINT-CHÉRONNET^Grégoire", "19501205", "M", "2 chemin du Moulin-Perdu", LATIN_1),
    ("VAUCLAIRVAL^Émilie", "19790811", "F", "45 avenue des Roseaux-Pâles", UTF_8),
    ("N'GUESSANDRÉ^Aïcha", "19840126", "F", "33 boulevard de la Dune-Haute", UTF_8),
    ("ETCHEGARRAÏNE^Benoît", "19670502", "M", "7 venelle du Fronton-Gris", LATIN_1),
    ("LEFEVRE^Helene", "19751029", "F", "90 rue du Belvédère-Feint", LATIN_1),
    ("QUÉMÉNEURAC^Loïc", "19960613", "M", "11 cale du Phare-Éteint", UTF_8),
)


def patients() -> tuple[FictionalPatient, ...]:
    """All of them, in a fixed order."""
    return tuple(_patient(number, *person) for number, person in enumerate(_PEOPLE, start=1))


def misspelt(patient: FictionalPatient, birth_date: str) -> FictionalPatient:
    """The same patient as a tired hand typed him at a modality: another birth date."""
    return replace(patient, birth_date=birth_date)


def _patient(
    number: int, name: str, birth_date: str, sex: str, street: str, charset: str
) -> FictionalPatient:
    return FictionalPatient(
        name=name,
        birth_date=birth_date,
        sex=sex,
        patient_id=f"FIC-{20260 + 7 * number}-{chr(64 + number)}",
        ins=_ins(number, birth_date, sex),
        address=f"{street}, 99999 Ville-Fictive",
        phone=f"06 39 98 {10 + number} {(37 * number) % 90 + 10}",
        charset=charset,
    )


def _ins(number: int, birth_date: str, sex: str) -> str:
    """13 digits of the form of a NIR (sex, year, month, place, order) and its key modulo 97."""
    digits = f"{1 if sex == 'M' else 2}{birth_date[2:6]}99999{700 + number:03d}"
    return f"{digits}{97 - int(digits) % 97:02d}"
