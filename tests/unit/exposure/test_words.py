"""Every finding has all its words: steps for the installer, articles and commandments that are named."""

from __future__ import annotations

import pytest

from serment.core.exposure.findings import Confidence, Outside, Place, Severity, Unit
from serment.core.exposure.installing import STEPS
from serment.core.exposure.machines import BY_APPLICATION, BY_CHECK, BY_PROTOCOL
from serment.core.exposure.registry import CHECKS
from serment.core.exposure.words import (
    ARTICLES,
    COMMANDMENTS,
    CONFIDENCES,
    KINDS,
    OUTSIDES,
    SEVERITIES,
    TONES,
    UNITS,
    Kind,
    place_said,
)
from serment.entrypoints.language import translator
from serment.entrypoints.reports.icons import ICONS, SHAPES


def test_every_check_tells_the_installer_what_to_do() -> None:
    assert list(STEPS) == list(CHECKS)
    assert len(set(STEPS.values())) == len(STEPS)
    assert all(len(each) > 40 for each in STEPS.values())
    assert not any("{" in each for each in STEPS.values())


@pytest.mark.parametrize("name", CHECKS)
def test_every_duty_is_named(name: str) -> None:
    check = CHECKS[name]
    assert set(check.articles) <= set(ARTICLES)
    assert check.commandment in COMMANDMENTS


def test_every_value_has_a_word_and_a_shape() -> None:
    assert set(SEVERITIES) == set(TONES) == set(SHAPES) == set(Severity)
    assert len(set(SHAPES.values())) == len(Severity)
    assert set(CONFIDENCES) == set(Confidence)
    assert set(OUTSIDES) == set(Outside)
    assert set(UNITS) == set(Unit)
    assert set(KINDS) == set(ICONS) == set(Kind)
    assert set(BY_CHECK) <= set(CHECKS)
    assert {*BY_PROTOCOL.values(), *BY_APPLICATION.values(), *BY_CHECK.values()} <= set(Kind)


@pytest.mark.parametrize("message", [*STEPS.values(), *ARTICLES.values(), *KINDS.values()])
def test_they_are_in_french_too(message: str) -> None:
    assert translator("fr").gettext(message) != message


def test_an_address_is_one_printable_line() -> None:
    forged = Place("fe80::1%\x1b[31mEVIL\n  X01 FAKE", 80)
    assert place_said(forged) == "[fe80::1%[31mEVIL X01 FAKE]:80"
