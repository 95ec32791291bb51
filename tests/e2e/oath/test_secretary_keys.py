"""A role is the keys it holds: hers, and everything her sessions ever made, open nothing clinical.

First the same attack with the doctor's keys must open all of it; else it would prove nothing.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.oath.exhibits import LETTER, Exhibits
from tests.e2e.oath.premises import Premises, ask
from tests.e2e.oath.thief import (
    CLINICAL_KINDS,
    LABELS,
    PURPOSES,
    Copy,
    Held,
    Loot,
    Sealed,
    attack,
    copy_of,
    watching,
)
from tests.practices import patient, report, study

from serment.core.crypto.context import Context
from serment.core.crypto.keys import new_seed, subkey
from serment.core.crypto.secret import Seed
from serment.core.crypto.wraps import wrap_under_key

ROOT = Path(__file__).resolve().parents[3]


class Scene:
    """What was sent, what each person's sessions held, and the vault at several moments."""

    def __init__(self, premises: Premises) -> None:
        self.premises = premises
        self.copies: list[Copy] = []
        self.held: dict[str, Held] = {}
        self.exhibits = Exhibits()
        self._arrivals()
        self._work()

    def _arrivals(self) -> None:
        """Everything arrives while locked."""
        first = self.premises.receive([self.exhibits.image, self.exhibits.report])
        second = self.premises.receive([report(study(patient(1), 2))], "chirurgie")
        self.care = {each.object_id for each in first}
        self.surgical = {each.object_id for each in second}
        self._keep()

    def _work(self) -> None:
        """The secretary files first, a document is attached, carers come, she undoes and files
        again; every session of each is watched."""
        with self._as("secretaire"):
            self._use("secretaire")
        with self.premises.desk() as desk:
            (found,) = {row["Patient"] for row in ask(desk, "search", "secretaire", query="")}
        (document,) = self.premises.receive([], pdf=(LETTER, found))
        self.care.add(document.object_id)
        self._keep()
        with self._as("secretaire"):
            self._use("secretaire")
        for login in ("docteur", "chirurgien"):
            with self._as(login):
                self._use(login)
        with self._as("secretaire"), self.premises.desk() as desk:
            row = ask(desk, "search", "secretaire", query="")[0]
            ask(desk, "unfile", "secretaire", envelope=row["Envelopes"][0])
            self._keep()
            ask(desk, "file", "secretaire", envelope=row["Envelopes"][0], patient=None)
            ask(desk, "member add", "secretaire", login="stagiaire", roles=["secretary"])
        with self._as("docteur"):
            self._use("docteur")
        with self._as("secretaire"):
            self._use("secretaire")

    def _use(self, login: str) -> None:
        with self.premises.desk() as desk:
            ask(desk, "search", login, query="")
            ask(desk, "waiting", login)

    def _as(self, login: str) -> _Watched:
        return _Watched(self, login)

    def _keep(self) -> None:
        self.copies.append(copy_of(self.premises.root))


class _Watched:
    def __init__(self, scene: Scene, login: str) -> None:
        self._scene, self._login = scene, login

    def __enter__(self) -> None:
        self._watching = watching()
        self._held = self._watching.__enter__()

    def __exit__(self, *failure: object) -> None:
        self._watching.__exit__(None, None, None)
        kept = self._scene.held.setdefault(self._login, Held())
        kept.secrets |= self._held.secrets
        kept.read += self._held.read
        self._scene._keep()


@pytest.fixture(scope="module")
def scene(founded: Premises, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return Scene(founded.copy(tmp_path_factory.mktemp("secretary")))


@functools.cache
def _attack(scene: Scene, login: str) -> Loot:
    stray = {value for each in scene.copies for value in each.stray if login == "secretaire"}
    return attack(scene.held[login].secrets, scene.copies, stray)


def test_with_the_doctors_keys_everything_of_his_circle_comes_open(scene: Scene) -> None:
    loot = _attack(scene, "docteur")
    assert loot.kinds() >= CLINICAL_KINDS
    assert loot.subjects("object") == scene.care
    assert loot.subjects("clinical-header") == scene.care
    assert scene.exhibits.seen(loot.plain()) == scene.exhibits.clinical - {"picture"}


def test_the_surgeons_keys_open_what_his_circle_received_and_no_more(scene: Scene) -> None:
    loot = _attack(scene, "chirurgien")
    assert loot.subjects("object") == scene.surgical
    assert loot.subjects("clinical-header") == scene.surgical


def test_the_secretarys_keys_open_identities_and_nothing_clinical(scene: Scene) -> None:
    loot = _attack(scene, "secretaire")
    assert {"identity-record", "identity-header", "summary", "patient-identity"} <= loot.kinds()
    assert loot.kinds() & CLINICAL_KINDS == set()
    seeds = {subject.partition("@")[0] for subject in loot.subjects("circle-seed")}
    assert seeds == {"circle:secretariat"}
    assert scene.exhibits.seen(loot.plain()) == set()


def test_nothing_clinical_passed_through_her_session(scene: Scene) -> None:
    """Not even for a moment: no clinical value, no key of a carer was ever in her hands."""
    his, hers = scene.held["docteur"], scene.held["secretaire"]
    headers = {"series description", "instance", "series", "study description"}
    assert scene.exhibits.seen(*his.read) >= headers
    assert scene.exhibits.seen(*hers.read) == set()
    theirs = attack(his.secrets, scene.copies)
    secret = {
        plain
        for (kind, _), values in theirs.opened.items()
        if kind in CLINICAL_KINDS
        for plain in values
        if len(plain) == 32
    }
    assert len(secret) >= 3
    assert hers.secrets & secret == set()


def test_one_wrap_too_many_is_noticed(scene: Scene) -> None:
    """A seeded weakness: an envelope's seed under the secretariat's key, as a mistake would put it."""
    (circle,) = _attack(scene, "secretaire").opened["circle-seed", "circle:secretariat@1"]
    context = Context("v", "envelope-seed", "envelope:x", "circle:secretariat", 1)
    blob = wrap_under_key(new_seed(), subkey(Seed(circle), "wrap"), context)
    weak = Copy((Sealed("envelope-seed", "envelope:x", blob, context),), frozenset())
    assert attack(scene.held["secretaire"].secrets, [weak]).kinds() == {"envelope-seed"}


IMPORTED = {"WRAP": "wrap", "CLINICAL": "clinical-header"}  # constants used in other files


def _constants(tree: ast.Module) -> Iterator[tuple[str, object]]:
    """Names and values of what the file assigns: `A = "a"`, and `A, B = "a", "b"`."""
    for node in tree.body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                values = getattr(node.value, "elts", [node.value])
                for name, value in zip(getattr(target, "elts", [target]), values, strict=False):
                    yield getattr(name, "id", ""), getattr(value, "value", None)


def _said(function: str) -> set[object]:
    """The last argument of every call of that function in the program: a label, or its constant."""
    found = set()
    for path in (ROOT / "src").rglob("*.py"):
        tree = ast.parse(path.read_text())
        constants = IMPORTED | dict(_constants(tree))
        for call in ast.walk(tree) if path.name != "selftest.py" else ():
            name = getattr(call, "func", None)
            if function in (getattr(name, "id", ""), getattr(name, "attr", "")) and call.args:
                last = call.args[-1]
                found.add(constants.get(getattr(last, "id", ""), getattr(last, "value", None)))
    return found


@pytest.mark.usefixtures("no_collector")
def test_every_label_and_purpose_of_the_program_is_tried() -> None:
    """A subkey under a new label fails here until the attack tries it too."""
    assert _said("subkey") == set(LABELS)
    assert {each for each in _said("derive") if isinstance(each, str)} == set(PURPOSES)
    documented = (ROOT / "docs" / "format.md").read_text()
    assert {label for label in LABELS if f"`{label}`" not in documented} == set()
