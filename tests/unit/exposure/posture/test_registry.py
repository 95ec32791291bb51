"""The checks together: what was recorded on real machines, whole machines, and what stays unknown."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from tests.unit.exposure.posture.asked import DATA, LINUX, NOW, machine

from serment.adapters.posture.questions import QUESTIONS
from serment.core.exposure.posture.reading import LIMIT
from serment.core.exposure.posture.recorded import RECORDED
from serment.core.exposure.posture.registry import CHECKS, examine, honest
from serment.core.exposure.posture.verdict import Result, System, passed, unknown

FILES = sorted(path.relative_to(DATA).with_suffix("").as_posix() for path in DATA.glob("*/*.json"))


def results(system: System, said: dict[str, str]) -> dict[str, str]:
    """What each parser reads, tried or not."""
    return {each.id: each.readers[system](said, NOW).result.value for each in CHECKS}


def test_there_are_twelve_in_order() -> None:
    assert [check.id for check in CHECKS] == [f"H{number:02d}" for number in range(1, 13)]
    for check in CHECKS:
        assert set(check.readers) == set(check.remedies) == set(System)
        assert all(1 <= sheet <= 25 for sheet in check.sheets)
        assert 1 <= check.commandment <= 10


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("documented")])
def test_a_kept_machine_passes_and_a_neglected_one_fails_everywhere(name: str) -> None:
    system, said = machine(name)
    wanted = "pass" if name.endswith("kept") else "fail"
    assert results(system, said) == dict.fromkeys((check.id for check in CHECKS), wanted)


RECORDINGS = {
    "recorded/linux-debian-12-kept": "H02 H03 H06 H07 H08 H09 H10 H12",
    "recorded/linux-debian-12-neglected": "H02 H10",
    "recorded/linux-debian-12-no-systemd": "H06 H09 H10",
}
FAILING = {
    "recorded/linux-debian-12-kept": "H01 H04 H05",
    "recorded/linux-debian-12-neglected": "H01 H03 H04 H05 H06 H07 H08 H09 H12",
    "recorded/linux-debian-12-no-systemd": "H01 H04 H07 H08",
}


@pytest.mark.parametrize("name", RECORDINGS)
def test_recordings(name: str) -> None:
    system, said = machine(name)
    found = examine(system, said, NOW)
    assert ids(found, Result.PASS) == RECORDINGS[name]
    assert ids(found, Result.FAIL) == FAILING[name]
    assert not any(answer.verdict.untried for answer in found)


def ids(answers: object, result: Result) -> str:
    return " ".join(each.check.id for each in answers if each.verdict.result is result)


def recordings(system: System) -> Iterator[dict[str, str]]:
    for name in FILES:
        if name.startswith("recorded"):
            found, said = machine(name)
            if found is system:
                yield said


@pytest.mark.parametrize("system", System)
def test_what_counts_as_recorded_was_recorded(system: System) -> None:
    said = {name for each in recordings(system) for name, text in each.items() if text.strip()}
    assert RECORDED[system] - said == set()


@pytest.mark.parametrize("name", FILES)
def test_each_file_says_where_it_comes_from(name: str) -> None:
    value = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    assert set(value) == {"system", "origin", "said"}
    wanted = "Recorded on" if name.startswith("recorded") else "not recorded on a machine"
    assert wanted in value["origin"]
    readme = (DATA / "README.md").read_text(encoding="utf-8")
    assert f"`{name}.json`" in readme
    assert set(value["said"]) <= set(QUESTIONS[System(value["system"])])


@pytest.mark.parametrize("name", [name for name in FILES if "linux" not in name])
def test_nothing_is_stated_of_a_system_that_was_never_recorded(name: str) -> None:
    """The verdict is unknown, and the evidence still tells what was read."""
    system, said = machine(name)
    for answer in examine(system, said, NOW):
        assert (answer.verdict.result, answer.verdict.untried) == (Result.UNKNOWN, True)
        assert answer.remedy


def test_one_answer_that_was_never_recorded_is_enough() -> None:
    said = {"account": "x", "kde-lock": "y", "samba": "  "}
    assert honest(passed("e", "account"), LINUX, said).result is Result.PASS
    mixed = honest(passed("e", "account", "kde-lock"), LINUX, said)
    assert (mixed.result, mixed.untried) == (Result.UNKNOWN, True)
    assert honest(passed("e", "rpm-dates"), LINUX, {"rpm-dates": ""}).result is Result.PASS
    assert honest(unknown("e", "kde-lock"), LINUX, said).untried is False


@pytest.mark.parametrize("system", System)
def test_every_question_is_read_by_a_check(system: System) -> None:
    """Nothing is asked of a machine that no check needs, and nothing is read that is not asked."""
    asked = set(QUESTIONS[system])
    assert read_names(system) == asked


def read_names(system: System) -> set[str]:
    seen: set[str] = set()

    class Watching(dict[str, str]):
        def get(self, name: str, default: object = None) -> object:
            seen.add(name)
            return super().get(name, default)

        def __getitem__(self, name: str) -> str:
            seen.add(name)
            return super().__getitem__(name)

        def __contains__(self, name: object) -> bool:
            seen.add(str(name))
            return super().__contains__(name)

    for name in FILES:
        found, said = machine(name)
        if found is system:
            for less in [None, *said]:
                told = {key: text for key, text in said.items() if key != less}
                for check in CHECKS:
                    check.readers[system](Watching(told), NOW)
    return seen


def test_an_answer_without_end_is_cut() -> None:
    long = " " * LIMIT + "uid=0(root) groups=0(root)"
    (found,) = (each for each in examine(LINUX, {"account": long}, NOW) if each.check.id == "H08")
    assert found.verdict.result is Result.UNKNOWN


@pytest.mark.parametrize("name", FILES)
def test_evidence_names_nobody(name: str) -> None:
    system, said = machine(name)
    for answer in examine(system, said, NOW):
        shown = " ".join(map(str, answer.verdict.values.values()))
        assert "lea" not in shown.split()
