"""Two patients under the same UIDs, as pages show them: two lines, two addresses, two files."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.practices import patient, study
from tests.unit.web_practice.pages import Pages, full_study

from serment.core.dicom.fictional import Place, ct_slice
from serment.entrypoints.web.views import StudyQuery, StudyView
from serment.errors import AccessDenied

MINE = study(patient(1), 1)
THEIRS = replace(MINE, patient=patient(2, "AUTRE^Personne", "19620202", "M"))


@pytest.fixture
def shared(pages: Pages) -> Pages:
    pages.world.receive(full_study(MINE), "care")
    pages.world.receive([ct_slice(THEIRS, Place(1, n), 2) for n in (1, 2, 3)], "chirurgie")
    with pages.world.signed_in("docteur"):
        pass  # files both
    return pages


def objects(view: StudyView) -> set[str]:
    return {image.object for series in view.series for image in series.images}


def test_a_line_an_address_and_a_file_for_each(shared: Pages) -> None:
    seen = {}
    for login, name in (("docteur", "LEFÈVRE Hélène"), ("chirurgien", "AUTRE Personne")):
        token = shared.sign_in(login)
        found = shared.web.worklist(token, StudyQuery())
        assert found.total == 2
        lines = {line.who.name: line for line in found.studies}
        assert {line.who.name for line in found.studies if line.key} == {name}
        own = lines.pop(name)
        (other,) = lines.values()
        assert (other.series, other.images, other.thumbnail) == (None, None, None)
        view = shared.web.study(token, own.ref)
        assert view.who.name == name
        assert own.thumbnail in objects(view)
        assert sum(len(series.images) for series in view.series) == (5 if own.series == 4 else 3)
        assert not shared.web.study(token, other.ref).series
        file = shared.web.patient(token, own.patient)
        assert [(item.ref, item.thumbnail) for item in file.timeline] == [(own.ref, own.thumbnail)]
        seen[login] = own, objects(view)
    (one, mine), (two, theirs) = seen["docteur"], seen["chirurgien"]
    assert one.ref != two.ref
    assert mine.isdisjoint(theirs)
    with pytest.raises(AccessDenied):
        shared.web.study(shared.sign_in("admin"), one.ref)


def test_a_search_by_name_shows_one(shared: Pages) -> None:
    found = shared.web.worklist(shared.sign_in("docteur"), StudyQuery(name="Autre"))
    assert [line.who.name for line in found.studies] == ["AUTRE Personne"]
    assert found.total == 1


def test_the_list_of_what_waits_is_of_that_alone(shared: Pages) -> None:
    slip = replace(THEIRS, patient=replace(THEIRS.patient, birth_date=""))
    shared.world.receive([ct_slice(slip, Place(1, 9), 2)], "care")
    found = shared.web.worklist(shared.sign_in("docteur"), StudyQuery(to_file=True))
    assert [(line.who.name, line.patient) for line in found.studies] == [("AUTRE Personne", None)]
