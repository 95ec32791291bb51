"""The fictional practice behind a real server."""

from __future__ import annotations

from pathlib import Path

from browser import Server
from demo_practice import DemoPractice

from serment.entrypoints.web.app import create_app


class Stage:
    """The server, and the practice behind it, new for each test."""

    def __init__(self, folder: Path) -> None:
        self.practice = DemoPractice()
        self.app = create_app(self.practice, ["127.0.0.1"])
        self.server = Server(self.app, folder)
        self.url = self.server.url

    def renew(self) -> None:
        self.practice = self.app.state.practice = DemoPractice()
