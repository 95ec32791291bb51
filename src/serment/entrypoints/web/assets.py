"""The static files, held in memory: a fixed set, so no path from outside ever reaches the disk.

Their address holds a digest of them all, so browsers may keep them; they are the only answers a
browser may keep.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    data: bytes
    packed: bytes  # gzip
    media_type: str


class Assets:
    """Every file below `static` that a page may ask for, by its path there."""

    def __init__(self) -> None:
        self.files = dict(sorted(_load(files("serment.entrypoints.web") / "static", "")))
        self.digest = _digest(self.files)

    def url(self, path: str) -> str:
        """The address of a file; KeyError for a name that does not exist (a defect of a page)."""
        if path not in self.files:
            raise KeyError(path)
        return f"/static/{self.digest}/{path}"

    def routes(self) -> list[Route]:
        return [Route("/static/{digest}/{path:path}", self.serve, name="static")]

    async def serve(self, request: Request) -> Response:
        asset = self.files.get(request.path_params["path"])
        if asset is None:
            return PlainTextResponse("not found\n", status_code=404)
        headers = {"Cache-Control": FOREVER, "Vary": "Accept-Encoding"}
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(asset.data, media_type=asset.media_type, headers=headers)
        headers["Content-Encoding"] = "gzip"
        return Response(asset.packed, media_type=asset.media_type, headers=headers)


def _load(folder: Traversable, prefix: str) -> list[tuple[str, Asset]]:
    found: list[tuple[str, Asset]] = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _load(entry, f"{prefix}{entry.name}/")
        elif media_type := TYPES.get(entry.name[entry.name.rfind(".") :]):
            data = entry.read_bytes()
            found.append((prefix + entry.name, Asset(data, _packed(data), media_type)))
    return found


def _packed(data: bytes) -> bytes:
    return gzip.compress(data, compresslevel=6, mtime=0)


def _digest(assets: dict[str, Asset]) -> str:
    total = sha256()
    for path, asset in assets.items():
        total.update(path.encode() + b"\0" + sha256(asset.data).digest())
    return total.hexdigest()[:16]
