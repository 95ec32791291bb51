"""The files that `serment scan` is given: a mistake in them is told before anything is sent to anybody."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.unit.entrypoints.test_scan import BY, Commands, Meanwhile
from tests.unit.entrypoints.test_scan_report import Commands as Printing
from tests.unit.exposure.sights import HOST

from serment.entrypoints.cli.files import check_writable
from serment.errors import Unavailable

OTHER = "192.168.1.21"


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG", "SERMENT_VAULT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """The exit code and the error with its hint, of a command that asked nobody anything."""
    before = content()
    commands = Printing()
    code = commands.run("network", *words, *BY)
    said = capsys.readouterr()
    assert commands.network.orders == []
    assert said.out == ""
    assert "serment: hint: " in said.err
    assert content() == before
    return code, said.err


def content() -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in Path().rglob("*")}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--report", "nowhere/out.html"), 10, "there is no folder nowhere"),
        (("--sarif", "nowhere/out.sarif"), 10, "there is no folder nowhere"),
        (("--sarif", "file/out.sarif"), 10, "there is no folder file"),
        (("--sarif", "folder"), 10, "folder is a folder"),
        (("--report", "folder.html", "--force"), 10, "folder.html is a folder"),
        (("--sarif", "x" * 300), 10, "cannot be written"),
        (("--sarif", "out.html", "--report", "./out.html"), 2, "out.html is named twice"),
        (("--sarif", "good.json", "--baseline", "good.json"), 2, "good.json is named twice"),
        (("--baseline", "file"), 7, "the baseline file is no JSON"),
        (("--baseline", "list.json"), 7, "is no answer of `serment scan network --json`"),
        (("--baseline", "folder"), 10, "the baseline folder cannot be read"),
        (("--outside", "nowhere.xml"), 10, "the scan from outside, nowhere.xml, cannot be read"),
        (("--outside", "file"), 7, "is none that is understood"),
        (("--exclude", "nowhere.txt"), 8, "there is no file nowhere.txt"),
        (("--ports", " "), 2, "--ports and --only need a value"),
        (("--only", ""), 2, "--ports and --only need a value"),
        (("--box-dmz", "perhaps"), 2, "answer yes, no or unknown"),
    ],
)  # fmt: skip
def test_each_mistake_is_told_before_anything_is_sent(
    words: tuple[str, ...], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("folder", "folder.html"):
        Path(name).mkdir()
    Path("file").write_text("not JSON")
    Path("good.json").write_text('{"findings": []}')
    Path("list.json").write_text("[]")
    found, error = refused(capsys, HOST, *words)
    assert found == code
    assert said in error


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "names no address"),
        (b"# nothing\n\n", "names no address"),  # not: every network around
        (b"192.168.1.20\n" * 100_000, "far too many"),
        (b"\x80\x81", "the file of targets list cannot be read"),
        (b"192.168.1.300\n", "192.168.1.300 is no address"),
    ],
)
@pytest.mark.parametrize("option", [(), (HOST, "--exclude")])
def test_a_file_of_targets_is_read_whole_or_not_at_all(
    content: bytes, said: str, option: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("list").write_bytes(content)
    code, error = refused(capsys, *option, "list")
    assert code in (2, 10)
    assert said in error


@pytest.mark.parametrize("path", ["/nowhere/list", "./list", "list.txt", "..\\list", "~/list"])
def test_a_path_to_nothing_is_no_name_of_a_machine(
    path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, error = refused(capsys, path)
    assert code == 8
    assert f"there is no file {path}" in error


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_of_targets_is_text_as_editors_write_it(encoding: str) -> None:
    Path("list").write_text(f"{HOST}\r\n{OTHER} # é\r\n", encoding=encoding)
    commands = Commands()
    assert commands.run("network", "list", *BY) == 0
    assert commands.network.orders[0].addresses == (HOST, OTHER)


def test_what_is_there_stays_until_the_audit_is_done() -> None:
    """Nothing empty and nothing new appears before; what is written appears when it is whole."""
    Path("out.sarif").write_text("old")
    seen: list[dict[str, bytes | None]] = []
    commands = Printing()
    commands.network = Meanwhile(then=lambda: seen.append(content()))
    words = ("--sarif", "out.sarif", "--report", "out.html")
    assert commands.run("network", HOST, *BY, *words) == 0
    assert seen == [{"out.sarif": b"old"}]
    assert sorted(content()) == ["out.html", "out.sarif"]
    assert Path("out.sarif").read_text().startswith("{")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write in any folder")
def test_a_folder_that_is_not_ours_to_write_in() -> None:
    Path("locked").mkdir(mode=0o500)
    with pytest.raises(Unavailable):
        check_writable(Path("locked/out.html"))


@pytest.mark.parametrize(
    ("path", "code", "said"),
    [
        ("nowhere/said.json", 10, "there is no folder nowhere"),
        ("folder", 9, "the file folder exists"),
        ("file/said.json", 10, "there is no folder file"),
    ],
)
def test_a_record_of_this_machine_has_a_place_before_it_is_asked(
    path: str, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("folder").mkdir()
    Path("file").touch()
    assert Commands().run("host", "--record", path) == code  # which has no machine to ask
    assert said in capsys.readouterr().err
