"""A small HTTP/1.1 client for strangers' servers: bounded in time and bytes, and never led astray.

It believes any certificate, sends no cookie, says who asks, and follows a redirect only on the
same service or to an address in scope. A body is cut at `BODY_LIMIT` after unpacking.
Source: RFC 9110, RFC 9112.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import zlib
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import serment
from serment.adapters.network.line import Cut, Ended, Gone, Line
from serment.adapters.network.probing import Call
from serment.core.exposure.unclear import puts_off
from serment.core.exposure.webpages import moves_on

USER_AGENT: Final = f"SERMENT-AUDIT/{serment.__version__} (security audit; counts, never copies)"
BODY_LIMIT: Final = 256 * 1024
PAGE_SECONDS: Final = 4.0  # for one answer, its body included
UNANSWERED: Final = 2  # pages that used up their time: then nothing more is asked
REFUSALS: Final = 4  # answers, when all of them were refusals: there is a door before everything
REDIRECTS: Final = 4
_HEADERS: Final = 100
_HEADER_BYTES: Final = 8192
_LINE_REQUESTS: Final = 20  # on one connection, which reads a bounded number of bytes
_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([1-5]\d\d)(?: [^\r\n]*)?\r?\n")
_NAME: Final = re.compile(r"(?=.*[a-z])[a-z0-9.-]{1,253}", re.IGNORECASE)
_NO_BODY: Final = frozenset({204, 304})


@dataclass(frozen=True, slots=True)
class Page:
    """One answer; header names in lower case, the first value of each kept."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    path: str = "/"

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON; None when it is not."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


NOTHING: Final = Page(0)


@dataclass(slots=True)
class Browser:
    """Asks one service over as few connections as it allows."""

    call: Call
    _line: Line | None = None
    _requests: int = 0
    _unanswered: int = 0
    _refused: int = 0
    _answered: int = 0
    put_off: bool = False  # of what was asked something was answered: not now

    @property
    def is_refused(self) -> bool:
        """Whether everything asked so far was refused."""
        return self._refused >= REFUSALS and self._refused == self._answered

    def get(self, path: str, accept: str = "*/*", account: tuple[str, str] | None = None) -> Page:
        """One answer; `NOTHING` when none came that is HTTP. `Cut` when all time is used."""
        headers = {"Accept": accept}
        if account:
            pair = base64.b64encode(":".join(account).encode()).decode("ascii")
            headers["Authorization"] = f"Basic {pair}"
        return self.ask("GET", path, headers)

    def ask(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Page:
        """As `get`, with any method."""
        if self.call.budget.left <= 0 or self._unanswered >= UNANSWERED:
            raise Cut
        kept = self._line is not None
        page = self._try(method, path, headers, body)
        if page is NOTHING and kept:  # it may have been closed meanwhile
            page = self._try(method, path, headers, body)
        self._answered += page is not NOTHING
        self._refused += page.status in (401, 403)
        self.put_off = self.put_off or (method == "GET" and puts_off(page.status))
        return page

    def visit(self, path: str, first: Page | None = None) -> Page:
        """As `get`, following redirects that stay on this service; `first` is known already."""
        page = first or self.get(path)
        for _ in range(REDIRECTS):
            onward = self._onward(page)
            if onward is None or onward == page.path:
                break
            page = self.get(onward)
        return page

    def _onward(self, page: Page) -> str | None:
        """Where a page leads by itself, on this service; a name there is how it is called from
        now on."""
        if 300 <= page.status < 400:
            target = page.headers.get("location", "")
        else:
            target = moves_on(page.text) if page.status == 200 else ""
        onward = self.here(target, page.path) if target else None
        if onward:
            self._call_by(_split(target))
        return onward

    def drop(self) -> None:
        """Close the connection; the next request opens another."""
        self._line, self._requests = None, 0
        self.call.close()

    def _try(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Page:
        began = self.call.budget.left
        with self.call.budget.within(PAGE_SECONDS):
            try:
                page = self._exchange(method, path, headers, body)
            except Ended:
                self.drop()
                page = NOTHING
        self._unanswered += began - self.call.budget.left >= PAGE_SECONDS - 0.1
        return page

    def _exchange(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Page:
        line = self._line or self.call.line()
        self._line, self._requests = None, self._requests + 1
        line.send(request(method, path, self._host(), headers, body))
        page, ended = read_page(line, path, has_body=method != "HEAD")
        if not ended and self._requests < _LINE_REQUESTS:
            self._line = line
        else:
            self.drop()
        return page

    def _host(self) -> str:
        return host_header(self.call.name or self.call.place.host, self.call.place.port)

    def here(self, target: str, path: str) -> str | None:
        """The path of what a page at `path` leads to, when that is on this service; a name stands for
        the address it came from."""
        parts = _split(target)
        if parts is None:
            return None
        if parts.netloc:
            tls = parts.scheme == "https" if parts.scheme else self.call.tls
            with contextlib.suppress(ValueError):
                port = parts.port or (443 if tls else 80)
                if tls is self.call.tls and port == self.call.place.port and self._is_here(parts):
                    return _with_query(parts)
            return None
        if parts.scheme:
            return None
        return _with_query(parts) if parts.path.startswith("/") else _joined(path, parts)

    def _is_here(self, parts: SplitResult) -> bool:
        host = (parts.hostname or "").strip("[]")
        is_name = _NAME.fullmatch(host) is not None
        return is_name or self.call.dialer.scope.find(host) == self.call.place.host

    def _call_by(self, parts: SplitResult | None) -> None:
        name = (parts.hostname or "") if parts else ""
        if _NAME.fullmatch(name):
            self.drop()
            self.call.name = name


def request(method: str, path: str, host: str, headers: dict[str, str], body: bytes) -> bytes:
    """The bytes of one request; nothing from a peer can add a line to it."""
    lines = [f"{method} {_clean(path)} HTTP/1.1", f"Host: {host}", f"User-Agent: {USER_AGENT}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    lines += ["Accept-Encoding: identity", "", ""]
    return "\r\n".join(lines).encode("ascii", "replace") + body


def host_header(host: str, port: int) -> str:
    """An address and port as the Host header wants them, without an IPv6 zone."""
    plain = host.partition("%")[0]
    return f"[{plain}]:{port}" if ":" in plain else f"{plain}:{port}"


def read_page(line: Line, path: str, has_body: bool = True) -> tuple[Page, bool]:
    """One answer, and whether the connection cannot be used again. `Gone` when it is not HTTP."""
    status = _STATUS.fullmatch(line.until(b"\n", _HEADER_BYTES))
    if status is None:
        raise Gone
    headers = _read_headers(line)
    code = int(status[1])
    if not has_body or code in _NO_BODY:
        return Page(code, headers, b"", path), _closes(headers)
    body, ended = _read_body(line, headers)
    return Page(code, headers, _unpacked(body, headers), path), ended or _closes(headers)


def _read_headers(line: Line) -> dict[str, str]:
    found: dict[str, str] = {}
    for _ in range(_HEADERS):
        text = line.until(b"\n", _HEADER_BYTES).decode("latin-1").strip()
        if not text:
            return found
        name, _, value = text.partition(":")
        found.setdefault(name.strip().lower(), value.strip())
    raise Cut


def _read_body(line: Line, headers: dict[str, str]) -> tuple[bytes, bool]:
    """The body, and whether anything after it cannot be told apart."""
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return _read_chunks(line)
    announced = headers.get("content-length", "")
    if not announced.isascii() or not announced.isdigit():
        return line.rest(BODY_LIMIT), True
    size = int(announced[:18])
    if size > BODY_LIMIT:
        return line.rest(BODY_LIMIT), True
    body = line.rest(size) if size else b""
    return body, len(body) < size


def _read_chunks(line: Line) -> tuple[bytes, bool]:
    body = bytearray()
    try:
        while len(body) < BODY_LIMIT:
            size = int(line.until(b"\n", 1024).split(b";")[0].strip() or b"x", 16)
            if size == 0:
                while line.until(b"\n", _HEADER_BYTES).strip():
                    pass
                return bytes(body), False
            body += line.exactly(min(size, BODY_LIMIT - len(body)))
            if len(body) < BODY_LIMIT:
                line.until(b"\n", 16)
    except (Ended, ValueError):
        pass  # what came until then is what is known
    return bytes(body), True


def _unpacked(body: bytes, headers: dict[str, str]) -> bytes:
    """Without compression, at most `BODY_LIMIT` bytes of it."""
    if headers.get("content-encoding", "").lower() not in ("gzip", "x-gzip", "deflate"):
        return body
    try:
        return zlib.decompressobj(wbits=47).decompress(body, BODY_LIMIT)  # 47: either header
    except zlib.error:
        return b""


def _closes(headers: dict[str, str]) -> bool:
    return "close" in headers.get("connection", "").lower()


def _split(target: str) -> SplitResult | None:
    try:
        parts = urlsplit(target[:2048])
        return parts if parts.scheme in ("", "http", "https") else None
    except ValueError:
        return None


def _with_query(parts: SplitResult) -> str:
    path = parts.path or "/"
    return _clean(f"{path}?{parts.query}" if parts.query else path)


def _joined(path: str, parts: SplitResult) -> str:
    folder = path.partition("?")[0].rpartition("/")[0]
    return _with_query(parts._replace(path=f"{folder}/{parts.path}"))


def _clean(path: str) -> str:
    """A path without anything that would end a request's line."""
    return "".join(c if c.isascii() and c.isprintable() and c != " " else "%20" for c in path)
