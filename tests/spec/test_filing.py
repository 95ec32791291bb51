"""Whose an arrival is: the rule of filing, case by case."""

from __future__ import annotations

from serment.core.records.book import PatientBook
from serment.core.records.filing import Ask, Decision, FileWith, NewPatient, decide
from serment.core.records.identity import Identifier, Identity, read_identity

PATIENTS = """
| patient | identifier | issuer | device | birth date | sex | name |
|---------|------------|--------|--------|------------|-----|------|
| lucie   | 4711       | RIS    |        | 19840229   | F   | LEFEVRE^LUCIE |
| paul    | 12         |        | ct     | 19700101   | M   | MARTIN^PAUL |
| paule   | 13         |        | ct     | 19700101   | F   | MARTIN^PAULE |
| anne-1  | 77         | RIS    |        | 19551231   | F   | BERNARD^ANNE |
| anne-2  | 77         | RIS    |        | 19551231   | F   | BERNARD^ANNE |
"""

AGREE = """
| identifier | issuer | sender | birth date | sex | name | outcome | because |
|------------|--------|--------|------------|-----|------|---------|---------|
| 4711 | RIS |    | 19840229 | F | LEFEVRE^LUCIE   | file with lucie | all four agree |
| 4711 | ris |    | 19840229 | f | Lefèvre^Lucie^^Mme | file with lucie | accents, case and titles do not count |
| 4711 | RIS | us | 19840229 | F | LEFEVRE^LUCIE   | file with lucie | with an issuer, any device may send |
| 12   |     | ct | 19700101 | M | MARTIN^PAUL     | file with paul  | without an issuer, the same device must send |
"""

NEW = """
| identifier | issuer | sender | birth date | sex | name | outcome | because |
|------------|--------|--------|------------|-----|------|---------|---------|
| 9001 | RIS |    | 20010517 | M | DURAND^ZOE   | new patient | says who it is, resembles nobody |
| 4711 | HOP |    | 20010517 | M | DURAND^ZOE   | new patient | another issuer's 4711 is another number |
| 9001 |     | us | 20010517 | O | ŒUVRARD^LÉO  | new patient | complete also without an issuer |
| 9001 | RIS |    | 19840229 | F | DURAND^ZOE   | new patient | a birth date alone is no resemblance |
"""

DIFFERS = """
| identifier | issuer | sender | birth date | sex | name | outcome | because |
|------------|--------|--------|------------|-----|------|---------|---------|
| 4711 | RIS |    | 19840228 | F | LEFEVRE^LUCIE   | ask: lucie (birth_date) | one day off may be a slip or a mix-up |
| 4711 | RIS |    | 19840229 | M | LEFEVRE^LUCIE   | ask: lucie (sex) | |
| 4711 | RIS |    | 19840229 | F | LEFEBVRE^LUCIE  | ask: lucie (name) | one letter is one person or two |
| 4711 | RIS |    | 20010517 | M | DURAND^ZOE      | ask: lucie (birth_date, sex, name) | a number used twice |
| 4712 | RIS |    | 19840229 | F | LEFEVRE^LUCIE   | ask: lucie (identifiers) | the same person under a second number, or a namesake |
| 4711 |     | us | 19840229 | F | LEFEVRE^LUCIE   | ask: lucie (identifiers) | whose 4711 is it, without an issuer? |
| 12   |     | us | 19700101 | M | MARTIN^PAUL     | ask: paul (identifiers), paule (identifiers, sex, name) | another device counts for itself |
| 12   |     |    | 19700101 | M | MARTIN^PAUL     | ask: paul (identifiers), paule (identifiers, sex, name) | nobody knows who sent it |
| 12   | RIS |    | 19700101 | M | MARTIN^PAUL     | ask: paul (identifiers), paule (identifiers, sex, name) | an issuer is named for the first time |
| 9001 | RIS |    | 19991231 | F | LEFEVRE^LUCIE   | ask: lucie (identifiers, birth_date) | a namesake |
| 9001 | RIS |    | 19840229 | F | LEFEVRE^LUCY    | ask: lucie (identifiers, name) | same birth date, similar name |
| 9001 | RIS |    | 19840229 | F | DUPONT^LUCIE    | ask: lucie (identifiers, name) | same birth date and given name: married? |
"""

SEVERAL = """
| identifier | issuer | sender | birth date | sex | name | outcome | because |
|------------|--------|--------|------------|-----|------|---------|---------|
| 77   | RIS |    | 19551231 | F | BERNARD^ANNE    | ask: anne-1 (), anne-2 () | agrees with two patients |
| 13   |     | ct | 19700101 | F | MARTIN^PAULE    | file with paule | that paul resembles does not matter |
"""

LACKS = """
| identifier | issuer | sender | birth date | sex | name | outcome | because |
|------------|--------|--------|------------|-----|------|---------|---------|
|      |     | ct | 20010517 | M | DURAND^ZOE    | ask: nobody, lacks identifiers | an emergency without a number |
| 0000 | RIS |    | 20010517 | M | DURAND^ZOE    | ask: nobody, lacks identifiers | what devices write for nothing |
| 9001 | RIS |    |          | M | DURAND^ZOE    | ask: nobody, lacks birth_date | |
| 9001 | RIS |    | 19000101 | M | DURAND^ZOE    | ask: nobody, lacks birth_date | what devices write for nothing |
| 9001 | RIS |    | 20010230 | M | DURAND^ZOE    | ask: nobody, lacks birth_date | a day that never was |
| 9001 | RIS |    | 20010517 |   | DURAND^ZOE    | ask: nobody, lacks sex | |
| 9001 | RIS |    | 20010517 | M |               | ask: nobody, lacks name | |
| 9001 | RIS |    | 20010517 | M | ANONYMOUS     | ask: nobody, lacks name | what devices write for nothing |
|      |     |    |          |   |               | ask: nobody, lacks identifiers, birth_date, sex, name | |
| 4711 | RIS |    | 19840229 |   | LEFEVRE^LUCIE | ask: lucie (sex), lacks sex | nothing is guessed |
"""

PAGE = f"""# Whose an arrival is

This page is written by the tests in `tests/spec/test_filing.py` and always true.

An arrival is filed **by itself** only when its patient identifier with its issuer (or, where no
issuer is named, the same sending device), its birth date, its sex and its name agree with exactly
one patient. Names are compared without case, accents, punctuation, prefix and suffix.

It makes a **new patient** only when it states all four and resembles nobody: no shared identifier,
no same name, no same birth date with a similar name.

In **every other case a person is asked**, and sees the patients it may belong to with the fields
that differ. Every filing can be undone.

The patients known in these examples:
{PATIENTS}
## All agrees
{AGREE}
## Resembles nobody
{NEW}
## Something differs
{DIFFERS}
## More than one patient
{SEVERAL}
## Something is not stated
{LACKS}"""


def patients(rows: list[dict[str, str]]) -> dict[str, Identity]:
    return {
        row["patient"]: Identity(
            row["name"],
            row["birth date"],
            row["sex"],
            (Identifier(row["identifier"], row["issuer"] or None, row["device"] or None),),
        )
        for row in rows
    }


def arrival(row: dict[str, str]) -> Identity:
    return read_identity(
        {
            "PatientID": row["identifier"],
            "IssuerOfPatientID": row["issuer"],
            "PatientBirthDate": row["birth date"],
            "PatientSex": row["sex"],
            "PatientName": row["name"],
        }
    )


def outcome(decision: Decision) -> str:
    match decision:
        case FileWith(patient):
            return f"file with {patient}"
        case NewPatient():
            return "new patient"
        case Ask(candidates, missing):
            named = ", ".join(f"{c.patient} ({', '.join(c.differs)})" for c in candidates)
            lacks = f", lacks {', '.join(missing)}" if missing else ""
            return f"ask: {named or 'nobody'}{lacks}"


def test_every_case(read_table) -> None:
    known = patients(read_table(PATIENTS))
    book = PatientBook()
    for patient, identity in known.items():
        book.add(patient, identity)
    for text in (AGREE, NEW, DIFFERS, SEVERAL, LACKS):
        for row in read_table(text):
            identity, sender = arrival(row), row["sender"] or None
            assert outcome(decide(identity, sender, known.items())) == row["outcome"], row
            found = book.candidates(identity)
            assert outcome(decide(identity, sender, found)) == row["outcome"], row


def test_the_page_is_fresh(fresh) -> None:
    fresh("filing.md", PAGE)
