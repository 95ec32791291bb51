"""Whatever a machine says, every check answers pass, fail or unknown, in a line of bounded length."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from serment.adapters.posture.questions import QUESTIONS
from serment.core.exposure.posture.registry import examine
from serment.core.exposure.posture.verdict import Result, System
from serment.entrypoints.language import say

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
DATA = Path(__file__).resolve().parent.parent / "data" / "posture"
LONGEST = 900  # eight names of sixty characters, and the sentence around them

MACHINES = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(DATA.glob("*/*.json"))]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
    ),
)


def check(system: System, said: dict[str, str]) -> None:
    answers = examine(system, said, NOW)
    assert len(answers) == 12
    for answer in answers:
        assert answer.verdict.result in Result
        for lang in ("fr", "en"):
            line = say(answer.verdict.evidence, lang, **answer.verdict.values)
            assert line
            assert len(line) <= LONGEST
            assert "\n" not in line
            assert "\x1b" not in line


@given(st.sampled_from(System), st.data())
def test_any_text(system: System, data: st.DataObject) -> None:
    names = st.sampled_from(sorted(QUESTIONS[system]))
    check(system, data.draw(st.dictionaries(names, st.text(max_size=200))))


@given(st.sampled_from(MACHINES), st.data())
def test_a_machine_with_some_answers_changed(machine: dict, data: st.DataObject) -> None:
    """Answers of the right form, with a piece cut out, doubled, or put into another's place."""
    said = dict(machine["said"])
    for name in data.draw(st.lists(st.sampled_from(sorted(said)), max_size=4)):
        text = said[data.draw(st.sampled_from([name, *sorted(said)]))]
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, len(text)))
        put = data.draw(st.sampled_from(["", text[start:end] * 2, "\x1b[2J\n", "9" * 40, "-1"]))
        said[name] = text[:start] + put + text[end:]
    check(System(machine["system"]), said)


@given(st.sampled_from(System), st.data())
def test_any_json(system: System, data: st.DataObject) -> None:
    said = {name: json.dumps(data.draw(JSON)) for name in sorted(QUESTIONS[system])}
    check(system, said)


@given(st.sampled_from(MACHINES), st.data())
def test_json_with_any_value_in_a_known_place(machine: dict, data: st.DataObject) -> None:
    said = dict(machine["said"])
    name = data.draw(st.sampled_from(sorted(said)))
    try:
        value = json.loads(said[name])
    except ValueError:
        return
    said[name] = json.dumps(changed(value, data))
    check(System(machine["system"]), said)


def changed(value: object, data: st.DataObject) -> object:
    """The same shape, with one leaf or branch replaced."""
    match value:
        case dict() if value:
            key = data.draw(st.sampled_from(sorted(value)))
            return {**value, key: changed(value[key], data)}
        case list() if value:
            place = data.draw(st.integers(0, len(value) - 1))
            return [*value[:place], changed(value[place], data), *value[place + 1 :]]
        case _:
            return data.draw(JSON)


def test_answers_too_deep_or_too_long() -> None:
    for text in ("[" * 200_000, '{"a":' * 100_000, "0" * 300_000, "a=" * 150_000, "[x]\n" * 80_000):
        for system in System:
            check(system, dict.fromkeys(QUESTIONS[system], text))
