"""Filing never guesses, and its index finds exactly what comparing with everybody would."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from serment.core.records.book import PatientBook
from serment.core.records.filing import (
    Ask,
    FileWith,
    NewPatient,
    compare,
    decide,
    missing_fields,
    resembles,
    similar_names,
)
from serment.core.records.identity import Identifier, Identity, fold_name, read_identity

identifiers = st.builds(
    Identifier,
    st.sampled_from(["1", "2", "a 3", "A3"]),
    st.sampled_from([None, "RIS", "ris", "HOP"]),
    st.none(),
)
identities = st.builds(
    Identity,
    st.sampled_from(
        ["", "MARTIN^PAUL", "Martin^Paul", "MARTINE^PAUL", "DURAND^ZOE", "PAUL^MARTIN"]
    ),
    st.sampled_from([None, "19700101", "19700102"]),
    st.sampled_from([None, "M", "F"]),
    st.lists(identifiers, max_size=2).map(tuple),
)
senders = st.sampled_from([None, "ct", "us"])
people = st.lists(st.tuples(identities, senders), max_size=8).map(
    lambda found: {f"p{n}": identity.sent_by(sender) for n, (identity, sender) in enumerate(found)}
)


@given(identities, senders, people)
def test_only_full_agreement_with_exactly_one_files(arrival, sender, known) -> None:
    sent = arrival.sent_by(sender)
    agreeing = [p for p, i in known.items() if set(compare(sent, i).values()) == {"same"}]
    resembling = {p for p, i in known.items() if resembles(sent, i)}
    match decide(arrival, sender, known.items()):
        case FileWith(patient):
            assert agreeing == [patient]
            assert arrival.is_complete
        case NewPatient():
            assert not resembling
            assert arrival.is_complete
        case Ask(candidates, missing):
            assert len(agreeing) != 1
            assert resembling or missing
            assert {c.patient for c in candidates} == resembling
            assert missing == missing_fields(arrival)


@given(identities, senders, people)
def test_the_order_of_patients_does_not_matter(arrival, sender, known) -> None:
    forwards = decide(arrival, sender, list(known.items()))
    assert decide(arrival, sender, list(reversed(known.items()))) == forwards


@given(people, st.data())
def test_the_book_finds_what_comparing_with_everybody_finds(known, data: st.DataObject) -> None:
    book = PatientBook()
    for patient, identity in known.items():
        book.add(patient, identity)
    for patient in data.draw(
        st.lists(st.sampled_from(sorted(known)), max_size=5) if known else st.just([])
    ):
        if data.draw(st.booleans()):
            known[patient] = data.draw(identities)
            book.update(patient, known[patient])
        else:
            known.pop(patient, None)
            book.remove(patient)
    arrival = data.draw(identities).sent_by(data.draw(senders))
    assert book.candidates(arrival) == [
        (patient, known[patient]) for patient in sorted(known) if resembles(arrival, known[patient])
    ]


@given(identities, senders)
def test_a_patient_made_from_an_arrival_takes_the_next_one_like_it(arrival, sender) -> None:
    known = {"p": arrival.sent_by(sender)}
    again = decide(arrival, sender, known.items())
    if arrival.is_complete and (sender or any(i.issuer for i in arrival.identifiers)):
        assert again == FileWith("p")
    else:
        assert isinstance(again, Ask)


@given(st.dictionaries(st.text(), st.text() | st.none() | st.lists(st.text()) | st.integers()))
def test_any_header_is_read(header) -> None:
    identity = read_identity(header)
    assert Identity.decode(identity.encode()) == identity


values = st.text() | st.none() | st.lists(st.text() | st.lists(st.text())) | st.integers()


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "PatientName": values,
            "PatientID": values,
            "IssuerOfPatientID": values,
            "OtherPatientIDs": st.lists(values) | st.text() | st.none(),
            "PatientBirthDate": values,
            "PatientSex": values,
        },
    )
)
def test_any_administrative_header_is_read(header) -> None:
    identity = read_identity(header)
    assert Identity.decode(identity.encode()) == identity


@given(st.text())
def test_folding_is_final(name: str) -> None:
    folded = fold_name(name)
    assert fold_name(folded.replace(" ", "^", 1)) == folded or len(folded) > 200
    assert folded == " ".join(folded.split())


@given(st.text(max_size=20), st.text(max_size=20))
def test_similarity_goes_both_ways(first: str, second: str) -> None:
    assert similar_names(first, second) is similar_names(second, first)
    assert similar_names(first, first)
