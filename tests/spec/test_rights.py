"""Who may do what: the whole table of rights, as people read it."""

from __future__ import annotations

from serment.core.access.rights import Act, can
from serment.core.access.roles import circles_of
from serment.core.records.vault import Role

CIRCLES = """
| role          | circles it asks for |
|---------------|---------------------|
| administrator | none |
| doctor        | secretariat, care |
| secretary     | secretariat |
| dpo           | dpo |
"""

RIGHTS = """
| act                  | administrator | doctor | secretary | dpo | waiting doctor | nobody |
|----------------------|---------------|--------|-----------|-----|----------------|--------|
| search               | -             | yes    | yes       | yes | -              | -      |
| file                 | -             | yes    | yes       | -   | -              | -      |
| read-clinical        | -             | yes    | -         | -   | -              | -      |
| export-clinical      | -             | yes    | -         | -   | -              | -      |
| attach               | -             | yes    | yes       | -   | -              | -      |
| read-own-journal     | yes           | yes    | yes       | yes | yes            | -      |
| retention            | yes           | -      | -         | yes | -              | -      |
| read-patient-journal | -             | yes    | -         | yes | -              | -      |
| journal              | yes           | -      | -         | yes | -              | -      |
| keep-checkpoint      | yes           | yes    | yes       | yes | yes            | -      |
| radius               | yes           | yes    | -         | yes | -              | -      |
| scan                 | yes           | -      | -         | -   | -              | -      |
| read-scans           | yes           | -      | -         | yes | -              | -      |
| admit                | -             | yes    | yes       | yes | -              | -      |
| members              | yes           | -      | -         | -   | -              | -      |
| devices              | yes           | -      | -         | -   | -              | -      |
| settings             | yes           | -      | -         | -   | -              | -      |
"""

# Roles and the circles whose keys the session really holds.
HOLDERS = {
    "administrator": ([Role.ADMINISTRATOR], ()),
    "doctor": ([Role.DOCTOR], ("secretariat", "care")),
    "secretary": ([Role.SECRETARY], ("secretariat",)),
    "dpo": ([Role.DPO], ("dpo",)),
    "waiting doctor": ([Role.DOCTOR], ()),
    "nobody": ([], ()),
}

PAGE = f"""# Who may do what

This page is written by the tests in `tests/spec/test_rights.py` and always true.

A role is the keys it holds. The table of rights only says beforehand what the keys enforce: a
"waiting doctor", who has the role but has not been admitted to a circle yet, opens nothing of a
patient. A person may hold several roles and may then do what any of them may.

The first member of a role makes its circles; everybody after waits until a sitting member, in an
open session, admits him after comparing the fingerprint words.
{CIRCLES}
A care circle has the name its team gives it; `care` is the first. Acts that concern one circle
(admitting to it, reading what it received) need the key of that very circle.
{RIGHTS}"""


def test_every_right(read_table) -> None:
    rows = read_table(RIGHTS)
    assert [row["act"] for row in rows] == list(Act), "every act is in the table, in order"
    for row in rows:
        for holder, (roles, circles) in HOLDERS.items():
            expected = row[holder] == "yes"
            assert can(roles, row["act"], circles) is expected, (row["act"], holder)


def test_roles_ask_for_these_circles(read_table) -> None:
    said = {row["role"]: row["circles it asks for"] for row in read_table(CIRCLES)}
    asked = {role.value: ", ".join(circles_of(role)) or "none" for role in Role}
    assert said == asked


def test_several_roles_add_up(read_table) -> None:
    both = ([Role.ADMINISTRATOR, Role.SECRETARY], ("secretariat",))
    for row in read_table(RIGHTS):
        expected = "yes" in (row["administrator"], row["secretary"])
        assert can(both[0], row["act"], both[1]) is expected


def test_the_page_is_fresh(fresh) -> None:
    fresh("rights.md", PAGE)
