"""The house stays in order: format, lint, types, layers, sizes, words. Each test names its rule."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import string
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from serment import errors
from serment.entrypoints.formats import typographic

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCES = sorted((ROOT / "src").rglob("*.py"))

pytestmark = pytest.mark.usefixtures("no_collector")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tracked() -> list[Path]:
    """The files of the repository, without what is only on this machine."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return [ROOT / line for line in listing.stdout.split("\0") if line and (ROOT / line).is_file()]


@pytest.fixture(scope="module")
def messages() -> ModuleType:
    """`tools/messages.py`, the program behind `make messages`."""
    spec = importlib.util.spec_from_file_location("messages", ROOT / "tools" / "messages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "format", "--check", "--no-cache", "."],
        ["ruff", "check", "--no-cache", "."],
        ["mypy", "--cache-dir", ".mypy_cache/house"],  # not shared with an editor's run
        ["lint-imports", "--no-cache"],
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_tools_find_nothing(command: list[str]) -> None:
    program = Path(sys.prefix) / "bin" / command[0]
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [program, *command[1:]], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_module_opens_with_a_sentence() -> None:
    silent = []
    for path in SOURCES:
        opening = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        if not opening or not re.search(r"[.:]", opening):
            silent.append(name(path))
    assert silent == []


def test_no_source_file_is_longer_than_400_lines() -> None:
    lines = {name(path): path.read_text(encoding="utf-8").count("\n") for path in SOURCES}
    assert {path: count for path, count in lines.items() if count > 400} == {}


def test_locks_hold_no_address() -> None:
    locks = [
        path for path in tracked() if re.search(r"\.lock$|lock[^/]*\.(json|txt|yaml)$", path.name)
    ]
    assert ROOT / "requirements.lock" in locks
    assert [name(path) for path in locks if "://" in path.read_text(encoding="utf-8")] == []


def test_nothing_names_a_machine_path() -> None:
    home = re.compile(rb"/(home|Users|root|work)/[\w.-]+/|[A-Z]:\\Users\\")
    listed = [
        path for path in tracked() if path.suffix in (".py", ".md", ".toml", ".sh", ".html", "")
    ]
    assert [name(path) for path in listed if home.search(path.read_bytes())] == []


def test_nothing_is_left_for_later() -> None:
    words = re.compile(r"#.*\b(TODO|FIXME|XXX)\b|raise NotImplementedError")
    unfinished = [
        f"{name(path)}:{number}"
        for path in SOURCES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if words.search(line)
    ]
    assert unfinished == []


# Errors


def error_classes(base: type = errors.SermentError) -> list[type]:
    return [base, *(found for child in base.__subclasses__() for found in error_classes(child))]


def test_every_error_has_its_own_exit_code_in_the_contract() -> None:
    codes = {error.__name__: error.exit_code for error in error_classes()}
    assert len(set(codes.values())) == len(codes), codes
    contract = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    documented = dict(re.findall(r"^\| (\d+) \| `(\w+)`", contract, flags=re.MULTILINE))
    assert {name: str(code) for name, code in codes.items()} == {
        name: code for code, name in documented.items()
    }


def test_errors_are_raised_with_a_fixed_message() -> None:
    """An f-string could carry a patient's value, and could not be translated."""
    raised = {error.__name__ for error in error_classes()}
    wrong = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            said = [*node.args[:1], *(word.value for word in node.keywords if word.arg == "hint")]
            if node.func.id in raised and any(
                isinstance(each, ast.JoinedStr | ast.BinOp) for each in said
            ):
                wrong.append(f"{name(path)}:{node.lineno}")
    assert wrong == []


# Words


def test_every_message_is_translated(messages: ModuleType) -> None:
    template = messages.extract()
    used = {message.id for message in template if message.id}
    for language in messages.LANGUAGES:
        catalogue = messages.read(language)
        known = {message.id for message in catalogue if message.id}
        assert used - known == set(), f"{language}: run `make messages`"
        assert known - used == set(), f"{language}: run `make messages`"
        assert messages.missing(catalogue) == [], language


def test_translations_keep_the_fields(messages: ModuleType) -> None:
    for language in messages.LANGUAGES:
        for message in messages.read(language):
            if not message.id or not all(messages.parts(message)):
                continue
            wanted = fields(message.id if isinstance(message.id, str) else message.id[1])
            said = message.string
            assert fields(said if isinstance(said, str) else said[-1]) == wanted, message.id


def fields(text: str) -> set[str]:
    """Names filled in: {name} in Python, %(name)s in templates."""
    braces = {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}
    return braces | set(re.findall(r"%\((\w+)\)", text))


def test_french_is_written_as_french(messages: ModuleType) -> None:
    wrong = [
        part
        for message in messages.read("fr")
        if message.id
        for part in messages.parts(message)
        if part != typographic(part)
    ]
    assert wrong == []


def test_compiled_catalogues_are_fresh(messages: ModuleType) -> None:
    for language in messages.LANGUAGES:
        compiled = messages.po_path(language).with_suffix(".mo").read_bytes()
        assert messages.mo_bytes(messages.read(language)) == compiled, f"{language}: make messages"


# Documents


def test_every_command_and_option_is_documented() -> None:
    commands = dict(command_options())
    assert commands, "no command was found"
    contract = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert [command for command in commands if f"serment {command}" not in contract] == []
    options = {option for found in commands.values() for option in found}
    assert [option for option in sorted(options) if option not in contract] == []


def command_options() -> Iterator[tuple[str, list[str]]]:
    """Every command, groups joined by a space, with its long options."""
    import typer.main

    from serment.entrypoints.cli.app import build

    waiting = [("", typer.main.get_command(build()))]
    while waiting:
        path, command = waiting.pop()
        children = getattr(command, "commands", None)
        if children is None:
            opts = [option for each in command.params for option in each.opts]
            yield (
                path,
                [option for option in opts if option.startswith("--") and option != "--help"],
            )
            continue
        waiting.extend((f"{path} {name}".strip(), child) for name, child in children.items())


def test_links_between_documents_lead_somewhere() -> None:
    broken = []
    for path in tracked():
        if path.suffix != ".md":
            continue
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text(encoding="utf-8")):
            if "://" not in target and not (path.parent / target).exists():
                broken.append(f"{name(path)} -> {target}")
    assert broken == []


def test_the_tests_that_documents_name_are_there() -> None:
    missing = [
        f"{name(path)} -> {target}"
        for path in tracked()
        if path.suffix == ".md" and path.name != "CHANGELOG.md"
        for target in re.findall(r"`(tests/[\w./]+)`", path.read_text(encoding="utf-8"))
        if not (ROOT / target).exists()
    ]
    assert missing == []


def test_the_readme_stays_short() -> None:
    assert (ROOT / "README.md").read_text(encoding="utf-8").count("\n") <= 120
