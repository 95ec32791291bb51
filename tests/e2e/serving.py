"""A vault on disk driven as a user drives it: the `serment` command and a running server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PASSWORD = "Tilleul-Phare-47-Grenade"
READY_SECONDS = 60


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Vault:
    """A vault's folder, its kit, and the command line on it."""

    root: Path
    kit: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(
        self, *words: str | Path, code: int | None = 0, text: str = "", lang: str = "en"
    ) -> Done:
        """Run one command; assert its exit code unless None."""
        command = [sys.executable, "-m", "serment", *map(str, words), "--lang", lang]
        done = subprocess.run(
            command,
            input=text,
            capture_output=True,
            text=True,
            env={**os.environ, **self.environment},
            timeout=240,
            check=False,
        )
        result = Done(done.returncode, done.stdout, done.stderr)
        assert code is None or result.code == code, f"{words[:3]}: {result}"
        return result

    def json(self, *words: str | Path, code: int | None = 0, text: str = "") -> Any:
        return self.run(*words, "--json", code=code, text=text).json


def new_vault(folder: Path, *, people: bool = True) -> Vault:
    """A practice founded by the command line, with one member of each kind."""
    password = folder / "password"
    password.write_text(PASSWORD)
    vault = Vault(folder / "vault", folder / "kit")
    vault.environment = {
        "SERMENT_VAULT": str(vault.root),
        "SERMENT_PASSWORD_FILE": str(password),
    }
    vault.json(
        "init", vault.root, "--practice", "Cabinet fictif", "--admin", "admin", "--kit", vault.kit
    )
    if people:
        vault.json("member", "add", "docteur", "--role", "doctor")
        vault.json("member", "add", "secretaire", "--role", "secretary", "--by", "docteur")
        vault.json("member", "add", "dpo", "--role", "dpo")
    return vault


@dataclass
class Server:
    """A running server and where it listens."""

    process: subprocess.Popen[str]
    dicom: str
    web: str
    authority: str
    log: Path

    @property
    def dicom_port(self) -> str:
        return self.dicom.rpartition(":")[2]

    @property
    def web_port(self) -> int:
        return int(self.web.rpartition(":")[2])


# As `serment serve --json` on free ports, with so many helpers of the receiver.
HELPED = """
import json, sys
from pathlib import Path
from serment.bootstrap.serve import Addresses, parse_address, serve
where, say = parse_address("127.0.0.1:0"), lambda ready: print(json.dumps(ready), flush=True)
sys.exit(serve(Path(sys.argv[1]), Addresses(where, where), say, int(sys.argv[2])))
"""


@contextmanager
def serving(vault: Vault, *words: str, helpers: int | None = None) -> Iterator[Server]:
    """The server on free loopback ports, stopped as Ctrl-C stops it; `helpers` of its receiver also
    where there are fewer cores, in place of further words."""
    log = vault.root.parent / "server.log"
    where = ["--dicom", "127.0.0.1:0", "--web", "127.0.0.1:0", *words]
    command = ["-m", "serment", "serve", *where, "--json"]
    if helpers is not None:
        command = ["-c", HELPED, str(vault.root), str(helpers)]
    with log.open("a") as errors:
        process = subprocess.Popen(
            [sys.executable, *command],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, **vault.environment},
        )
    with process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, log.read_text()
            ready = json.loads(line)
            assert ready.get("ready"), ready
            yield Server(process, ready["dicom"], ready["web"], ready["ca"], log)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
