"""What has been found out about one web server so far, while it is being asked."""

from __future__ import annotations

from dataclasses import dataclass, field

from serment.adapters.network.probing import Heard
from serment.core.exposure.checks.x11_viewer import VIEWERS
from serment.core.exposure.findings import Readable
from serment.core.exposure.seen import Answer, Facts, Files, Http


@dataclass(slots=True)
class Sight:
    """Filled in step by step; `heard` says it in the words of the contract."""

    protocol: str = "http"
    application: str = ""
    product: str = ""
    version: str = ""
    banner: str = ""
    status: int = 0
    login: Answer = Answer.NOT_ASKED
    interface: Answer = Answer.NOT_ASKED
    readable: Readable | None = None
    listed: dict[str, int] = field(default_factory=dict)
    writable: Answer = Answer.NOT_ASKED
    default_account: Answer = Answer.NOT_ASKED
    also: set[str] = field(default_factory=set)
    files: Files | None = None  # WebDAV, which may have a server of its own, or be one part of it
    other: Facts = None  # facts of another kind, when it is not really a web server

    @property
    def is_plain(self) -> bool:
        """Whether nothing has been found that anybody would mind."""
        return not (self.application or self.listed or self.also or self.files or self.other)

    def answered(self, application: str, readable: Readable | None, product: str = "") -> None:
        """An interface answered without account: the first gives its name, the others are noted."""
        if self.interface is Answer.YES and self.application != application:
            self.also.add(application)
        else:
            if self.application in VIEWERS:  # its page is there too (X11)
                self.also.add(self.application)
            self.application, self.interface = application, Answer.YES
        self.product = self.product or product
        self.readable = _larger(self.readable, readable)

    def refused(self, application: str, status: int, product: str = "") -> None:
        """An interface that is known refuses; with the status 401 it asks who is there."""
        if status == 401:
            self.login = Answer.YES
        if self.interface is not Answer.YES:
            self.application = application
            self.interface = Answer.REFUSED
        self.product = self.product or product

    def heard(self) -> Heard:
        protocol, facts = self.protocol, self.other
        if self.files and self.application in ("", "webdav") and not self.listed:
            protocol, facts = "webdav", facts or self.files
        facts = facts or Http(
            self.application,
            self.status,
            self.login,
            self.interface,
            self.readable,
            dict(self.listed),
            self.writable,
            self.default_account,
            frozenset(self.also),
            self.files,
        )
        return Heard(protocol, self.product, self.version, self.banner, facts)


def _larger(one: Readable | None, other: Readable | None) -> Readable | None:
    if one is None or other is None:
        return one or other
    return max(one, other, key=lambda each: (each.count, each.capped))
