"""What the fictional reports say, sentence by sentence, each different for each patient."""

from __future__ import annotations

from serment.core.dicom.fictional import FictionalStudy

Sections = list[tuple[str, list[str]]]

_INDICATIONS = (
    "Toux persistante depuis six semaines chez un sujet ayant arrêté le tabac",
    "Douleurs abdominales récidivantes, bilan d'une anémie ferriprive",
    "Céphalées inhabituelles avec troubles visuels transitoires",
    "Suivi d'une lésion connue, contrôle demandé à quatre mois",
)
_FINDINGS = (
    "opacité nodulaire de {size} mm du segment postérieur, à contours irréguliers",
    "formation kystique de {size} mm, sans cloison ni végétation, d'aspect bénin",
    "hypersignal punctiforme de {size} mm, sans effet de masse ni prise de contraste",
    "épaississement pariétal de {size} mm étendu sur trois centimètres",
)
_CONCLUSIONS = (
    "Contrôle à trois mois recommandé ; concertation pluridisciplinaire à prévoir",
    "Pas d'argument pour une récidive ; surveillance annuelle suffisante",
    "Avis neurologique souhaitable, à organiser dans la quinzaine",
    "Complément par prélèvement guidé à discuter avec le médecin traitant",
)


def sections(study: FictionalStudy, number: int) -> Sections:
    """Indication, findings and conclusion of one examination; `number` picks and varies them."""
    reference = f"dossier fictif {study.accession}"
    size = 3 + number % 17
    finding = _FINDINGS[number % len(_FINDINGS)].format(size=size)
    return [
        ("indication", [f"{_INDICATIONS[number % len(_INDICATIONS)]} ({reference})."]),
        (
            "findings",
            [
                f"{_civil(study)} : {finding}.",
                f"Mesures comparées à l'examen antérieur du {reference}, stables à {size} mm près.",
            ],
        ),
        ("conclusion", [f"{_CONCLUSIONS[number % len(_CONCLUSIONS)]} ({reference})."]),
    ]


def sentences(study: FictionalStudy, number: int) -> list[str]:
    """All of them, in order."""
    return [sentence for _, group in sections(study, number) for sentence in group]


def letter(study: FictionalStudy) -> tuple[str, list[str]]:
    """Title and lines of the letter to the physician that goes with some studies."""
    who, title = _civil(study), f"Courrier fictif {study.accession}"
    return title, [
        f"Cher confrère, merci de m'avoir adressé {who}.",
        f"L'examen {study.accession} est joint à ce courrier fictif.",
    ]


def _civil(study: FictionalStudy) -> str:
    family, _, given = study.patient.name.partition("^")
    return f"{'M.' if study.patient.sex == 'M' else 'Mme'} {given} {family}"
