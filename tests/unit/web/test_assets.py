"""The files browsers may keep: exactly ours, exactly those vendored."""

from __future__ import annotations

import gzip
import re
from hashlib import sha256
from importlib.resources import files

import pytest
from web_client import Client

from serment.entrypoints.web.assets import Assets

STATIC = files("serment.entrypoints.web") / "static"
VENDORED = re.findall(
    r"^\| (\S+\.(?:css|js)) \|.*\| ([0-9a-f]{64}) \|$",
    (STATIC / "vendor" / "VENDORED.md").read_text(encoding="utf-8"),
    flags=re.MULTILINE,
)


def test_every_vendored_file_is_listed_with_its_licence() -> None:
    there = {each.name for each in (STATIC / "vendor").iterdir()}
    assert there == {name for name, _ in VENDORED} | {
        "VENDORED.md",
        "LICENSE.bootstrap",
        "LICENSE.htmx",
    }


@pytest.mark.parametrize(("name", "digest"), VENDORED)
def test_vendored_files_are_unchanged(name: str, digest: str) -> None:
    assert sha256((STATIC / "vendor" / name).read_bytes()).hexdigest() == digest


def test_assets_are_kept_by_browsers_under_a_digest(client: Client) -> None:
    path = re.search(r'href="(/static/[0-9a-f]{16}/theme\.css)"', client.get("/login").text)[1]
    plain = client.script(path)
    assert plain.header("cache-control") == "public, max-age=31536000, immutable"
    assert plain.header("x-content-type-options") == "nosniff"
    packed = client.script(path, accept_encoding="gzip, br")
    assert packed.header("content-encoding") == "gzip"
    assert gzip.decompress(packed.body) == plain.body


@pytest.mark.parametrize(
    "path", ["vendor/VENDORED.md", "../app.py", "..%2fapp.py", "nothing.css", "", "/etc/passwd"]
)
def test_nothing_else_is_served(client: Client, path: str) -> None:
    assert client.script(f"/static/x/{path}").status == 404


def test_styles_and_scripts_name_no_other_host() -> None:
    for path, asset in Assets().files.items():
        if not path.startswith("vendor/") and not path.endswith(".svg"):
            assert not re.search(rb"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", asset.data), path


def test_a_page_weighs_little(client: Client) -> None:
    """All that the sign-in page loads, as it travels (goal: 120 kB)."""
    html = client.get("/login").text
    paths = re.findall(r'(?:src|href)="(/static/[^"]+)"', html)
    assert len(paths) >= 6
    loaded = sum(len(client.script(path, accept_encoding="gzip").body) for path in paths)
    assert loaded + len(html) < 120_000
