"""What the table of rules in tests/spec does not show: order, bounds, and the index."""

from __future__ import annotations

from serment.core.records.book import PatientBook
from serment.core.records.filing import (
    MAX_CANDIDATES,
    Agreement,
    Ask,
    Field,
    FileWith,
    NewPatient,
    decide,
    similar_names,
)
from serment.core.records.identity import Identifier, Identity


def person(name: str = "MARTIN^PAUL", born: str = "19700101", number: str = "1") -> Identity:
    return Identity(name, born, "M", (Identifier(number, "RIS"),))


def test_full_agreement_wins_over_resemblance() -> None:
    patients = [("a", person()), ("b", person(born="19710101", number="2"))]
    assert decide(person(), None, patients) == FileWith("a")


def test_candidates_come_closest_first_and_say_what_differs() -> None:
    patients = [("far", person(born="19991231", number="8")), ("near", person(born="19700102"))]
    asked = decide(person(), None, patients)
    assert isinstance(asked, Ask)
    assert [c.patient for c in asked.candidates] == ["near", "far"]
    assert asked.candidates[0].differs == (Field.BIRTH_DATE,)
    assert asked.candidates[1].differs == (Field.IDENTIFIERS, Field.BIRTH_DATE)
    assert asked.candidates[0].agreement[Field.NAME] is Agreement.SAME


def test_many_homonyms_are_cut_short() -> None:
    patients = [(f"{n:03}", person(born="19991231", number=f"n{n}")) for n in range(100)]
    asked = decide(person(), None, patients)
    assert isinstance(asked, Ask)
    assert len(asked.candidates) == MAX_CANDIDATES


def test_patients_that_do_not_resemble_are_ignored() -> None:
    assert decide(person(), None, [("x", person("DURAND^ZOE", "19990101", "9"))]) == NewPatient()


def test_similar_names() -> None:
    for first, second in [
        ("MARTIN PAUL", "MARTIN PAULE"),
        ("MARTIN PAUL", "PAUL MARTIN"),
        ("LEFEVRE LUCIE", "LEFEBVRE LUCE"),
        ("DURAND MARIE", "MARTIN MARIE"),
        ("NGUYEN VAN", "NGUEYN VAN"),
    ]:
        assert similar_names(first, second), (first, second)
    for first, second in [("MARTIN PAUL", "DURAND ZOE"), ("LEROY", "MARTINEZ"), ("A" * 9, "B" * 9)]:
        assert not similar_names(first, second), (first, second)


def test_the_book_finds_by_each_way_of_resembling() -> None:
    book = PatientBook()
    book.add("number", person("A^B", "19110101", "77"))
    book.add("name", person("MARTIN^PAUL", "19120101", "78"))
    book.add("born", person("MARTINE^PAUL", "19700101", "79"))
    book.add("neither", person("DURAND^ZOE", "19700101", "80"))
    found = [patient for patient, _ in book.candidates(person(number="77"))]
    assert found == ["born", "name", "number"]


def test_the_book_follows_changes() -> None:
    book = PatientBook()
    book.add("p", person())
    book.update("p", person("DURAND^ZOE", "19990101", "9"))
    assert book.candidates(person()) == []
    assert book.candidates(person("DURAND^ZOE", "19990101", "9"))[0][0] == "p"
    book.remove("p")
    book.remove("p")
    assert book.candidates(person("DURAND^ZOE", "19990101", "9")) == []
    assert (len(book), "p" in book, list(book), book.get("p")) == (0, False, [], None)
    assert book._index == {}


def test_a_lookup_meets_only_whom_it_may_resemble() -> None:
    book = PatientBook()
    for n in range(5000):
        book.add(f"{n:05}", person(f"NAME{n}^GIVEN{n}", f"19{n % 90 + 10}0{n % 9 + 1}01", f"n{n}"))
    arrival = person("NAME7^OTHER", "19170801", "n9")
    met = book._met(arrival)
    assert {patient for patient, _ in book.candidates(arrival)} == {"00007", "00009"}
    assert len(met) < 100
