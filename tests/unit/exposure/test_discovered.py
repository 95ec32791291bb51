"""The checks of a package are found by their files; one that holds none stops the start."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from serment.core.exposure.discovered import discovered
from serment.core.exposure.posture import registry
from serment.core.exposure.posture.verdict import Check

Make = Callable[..., str]
BASE = "serment.core.exposure.posture"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Writes a package of modules, with checks copied from a workstation's."""

    def make(**modules: str) -> str:
        name = f"found_{tmp_path.name}"
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
        for module, text in modules.items():
            (tmp_path / name / f"{module}.py").write_text(text)
        return name

    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    return make


def check(name: str) -> str:
    return f"from {BASE}.{name} import CHECK"


def test_checks_come_in_the_order_of_their_ids_and_other_modules_are_none(package: Make) -> None:
    name = package(
        h12_b=check("h12_clock"), h02_a=check("h02_screen_lock"), reading="raise ImportError"
    )
    assert [each.id for each in discovered(name, Check)] == ["H02", "H12"]


@pytest.mark.parametrize("text", ["", "CHECK = 'H01'", check("h02_screen_lock")])
def test_a_file_named_as_a_check_holds_it(package: Make, text: str) -> None:
    name = package(h01_nothing=text)
    with pytest.raises(TypeError, match=rf"{name}\.h01_nothing has no CHECK H01"):
        discovered(name, Check)


def test_each_file_of_a_workstations_checks_is_one() -> None:
    names = [path.stem for path in Path(registry.__file__).parent.glob("h??_*.py")]
    assert [name[:3].upper() for name in sorted(names)] == [each.id for each in registry.CHECKS]
