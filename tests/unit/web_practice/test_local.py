"""The command line at a running server, over its socket: how far an opening is, answers, errors."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn
from tests.practices import PASSWORD, patient, report, study
from tests.unit.web_practice.conftest import Reading
from tests.unit.web_practice.pages import Pages

from serment.core.masked import Masked
from serment.entrypoints.desk.desk import Desk
from serment.entrypoints.desk.request import Request
from serment.entrypoints.local import server
from serment.entrypoints.local.client import ask
from serment.errors import AccessDenied


@contextmanager
def listening(desk: Desk, folder: Path) -> Iterator[Path]:
    """The local socket of a server that holds this desk."""
    path = folder / "s"
    config = uvicorn.Config(
        server.local_app(desk), uds=str(path), log_config=None, lifespan="off", access_log=False
    )
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    try:
        yield path
    finally:
        running.should_exit = True
        thread.join(10)


@dataclass
class Told:
    """Remembers what a bar would show."""

    totals: list[int] = field(default_factory=list)
    done: int = 0

    def total(self, count: int) -> None:
        self.totals.append(count)

    def step(self, count: int = 1) -> None:
        self.done += count


def test_an_opening_that_lasts_is_followed(
    reading: Reading, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Work that waits until its first half was told."""
    monkeypatch.setattr(server, "LOOK_SECONDS", 0.01)
    bar, half = Told(), threading.Event()

    def slow(desk: Desk, request: Request) -> object:
        assert request.progress is not None
        request.progress.total(4)
        request.progress.step(3)
        assert half.wait(10)
        return {"login": request.login}

    def step(count: int = 1) -> None:
        bar.done += count
        half.set()

    bar.step = step  # type: ignore[method-assign]
    monkeypatch.setattr(server, "answer", slow)
    with listening(reading.pages.desk, tmp_path) as path:
        assert ask(path, Request("unlock", {}, "docteur", PASSWORD, progress=bar)) == {
            "login": "docteur"
        }
    assert (set(bar.totals), bar.done) == ({4}, 3)


def test_with_and_without_a_bar_answers_and_errors_are_the_same(
    reading: Reading, tmp_path: Path
) -> None:
    wrong = Masked("Mauvais-Tilleul-48-Pomme")
    with listening(reading.pages.desk, tmp_path) as path:
        said = []
        for bar in (None, Told()):
            said.append(ask(path, Request("search", {"query": ""}, "docteur", PASSWORD, None, bar)))
            with pytest.raises(AccessDenied) as refused:
                ask(path, Request("search", {"query": ""}, "docteur", wrong, None, bar))
            said.append((refused.value.message, refused.value.hint))
    assert said[:2] == said[2:]
    assert said[0]


def test_the_desk_tells_how_far_the_opening_is(pages: Pages) -> None:
    pages.world.receive([report(study(patient()))])
    bar = Told()
    pages.desk.open(Request("unlock", {}, "docteur", PASSWORD, progress=bar))
    assert bar.totals[-1] == bar.done > 0
