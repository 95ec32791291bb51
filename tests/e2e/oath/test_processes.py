"""What the server's processes hold and show: keys only where they must be, nothing in arguments,
environments and core dumps, every file for its owner alone whatever the umask."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from tests.e2e.oath.client import BASE, Client
from tests.e2e.oath.exhibits import Exhibits
from tests.e2e.oath.memory import count_in_memory
from tests.e2e.oath.premises import SECRET, Premises, ask
from tests.e2e.oath.sender import SUCCESS, Association, Sender
from tests.e2e.serving import PASSWORD, Server, serving

from serment.app.protect import members
from serment.bootstrap.crew import useful_helpers
from serment.core.crypto.keys import age_identity, derive, subkey
from serment.core.crypto.secret import Seed

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc, as Linux shows it")
pytestmark = LINUX
PR_GET_DUMPABLE = 3


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@dataclass
class Running:
    """A server started with the most careless umask there is, and its processes by name."""

    premises: Premises
    server: Server
    exhibits: Exhibits
    seeds: dict[str, Seed]  # of the doctor and of his circles
    processes: dict[str, int] = field(default_factory=dict)

    def look(self) -> None:
        top = psutil.Process(self.server.process.pid)
        for process in (top, *top.children(recursive=True)):
            words = process.cmdline()
            name = next((word[1:] for word in words if word.startswith("_")), "server")
            if name in self.processes:  # a receiver's fork has its command line
                name = f"{name} {len(self.processes)}"
            self.processes["decoder" if "adapters.decoder.child" in words[-5] else name] = (
                process.pid
            )

    def client(self, login: str) -> Client:
        token = self.premises.vault.json("unlock", "--as", login, "--token")["token"]
        return Client(self.server, token)


@pytest.fixture(scope="module")
def running(founded: Premises, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    premises, exhibits = founded.copy(tmp_path_factory.mktemp("processes")), Exhibits()
    premises.receive([exhibits.image, exhibits.report])
    seeds = _seeds(premises)
    with umask(0), serving(premises.vault) as server:
        found = Running(premises, server, exhibits, seeds)
        picture = f"{BASE}/studies/{exhibits.exam.uid}/rendered"
        assert found.client("docteur").get(picture).status == 200  # starts a decoder
        found.look()
        premises.vault.json("lock")
        yield found


def test_all_of_them_run(running: Running) -> None:
    names = [name.split()[0] for name in running.processes]
    helpers = ["receiver"] * useful_helpers()
    assert sorted(names) == sorted(["server", "receiver", *helpers, "web", "worker", "decoder"])


# Files


def loose(folder: Path) -> list[str]:
    """Everything that somebody other than its owner may read, write or enter."""
    found = []
    for path in (folder, *folder.rglob("*")):
        mode = path.lstat().st_mode
        wanted = 0o700 if stat.S_ISDIR(mode) else 0o600
        if stat.S_IMODE(mode) != wanted:
            found.append(f"{path.relative_to(folder)} {stat.filemode(mode)}")
    return found


def test_a_running_vault_has_no_file_for_others(running: Running) -> None:
    kinds = {stat.S_IFMT(path.stat().st_mode) for path in running.premises.root.rglob("*")}
    assert kinds == {stat.S_IFDIR, stat.S_IFREG, stat.S_IFSOCK}
    sockets = [path for path in running.premises.root.rglob("*") if path.is_socket()]
    assert sorted(path.name for path in sockets) == ["intake.sock", "local.sock"]
    assert loose(running.premises.root) == []


@pytest.mark.parametrize("mask", [0o000, 0o022])
def test_what_commands_write_is_for_their_owner(
    founded: Premises, tmp_path: Path, mask: int
) -> None:
    premises, exhibits = founded.copy(tmp_path), Exhibits()
    vault, out = premises.vault, tmp_path / "out"
    (tmp_path / "in.dcm").write_bytes(exhibits.report)
    shares = [vault.kit / f"serment-share-{number}-of-3.txt" for number in (1, 2)]
    with umask(mask):
        out.mkdir()
        os.umask(mask)
        vault.json("import", tmp_path / "in.dcm")
        uid = exhibits.uids["report's instance"]
        vault.json("fetch", uid, "-o", out / "one.dcm", "--as", "docteur")
        vault.json("recover", *shares, "-o", out / "all")
        vault.json("recover", *shares, "-o", out / "sealed", "--sealed")
    out.chmod(0o700)
    assert loose(premises.root) == []
    assert loose(out) == []
    assert len(list(out.rglob("*.dcm"))) == 2


def test_a_new_vault_and_its_kit_are_for_their_owner(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text(PASSWORD)
    command = [sys.executable, "-m", "serment", "init", tmp_path / "v", "--kit", tmp_path / "k"]
    with umask(0):
        subprocess.run(
            [*command, "--practice", "Cabinet fictif"],
            env={**os.environ, "SERMENT_PASSWORD_FILE": str(password)},
            check=True,
            capture_output=True,
        )
    assert loose(tmp_path / "v") == []
    assert loose(tmp_path / "k") == []


# What other programs of the machine see


def test_no_process_leaves_a_core_dump(running: Running) -> None:
    for name, pid in running.processes.items():
        limits = Path(f"/proc/{pid}/limits").read_text()
        (line,) = (each for each in limits.splitlines() if each.startswith("Max core file size"))
        assert line.split()[4:6] == ["0", "0"], name


def test_whatever_opens_a_vault_is_not_dumpable(founded: Premises) -> None:
    """prctl(2), asked inside a process: a limit of 0 does not stop dumps that are piped."""
    get = f"ctypes.CDLL(None).prctl({PR_GET_DUMPABLE}, 0, 0, 0, 0)"
    lines = [
        "import ctypes, pathlib, sys",
        "from serment.bootstrap.folder import open_folder",
        f"before = {get}",
        "open_folder(pathlib.Path(sys.argv[1]))",
        f"print(before, {get})",
    ]
    command = [sys.executable, "-c", "\n".join(lines), str(founded.root)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "0"]


def test_arguments_and_environments_hold_no_secret(running: Running) -> None:
    secrets = {
        "password": PASSWORD.encode(),
        "token": running.premises.token.encode(),
        "patient": b"LEF",
        "uid": running.exhibits.exam.uid.encode(),
    }
    secrets |= {name: seed.reveal() for name, seed in running.seeds.items()}
    for name, pid in running.processes.items():
        for file in ("cmdline", "environ"):
            shown = Path(f"/proc/{pid}/{file}").read_bytes()
            assert shown, (name, file)
            assert {key for key, value in secrets.items() if value in shown} == set(), (name, file)
    environment = Path(f"/proc/{running.processes['decoder']}/environ").read_bytes()
    assert b"SERMENT" not in environment


# Keys


def _seeds(premises: Premises) -> dict[str, Seed]:
    """The doctor's seed and those of his circles."""
    with premises.desk() as desk:
        member, seed = members.unlock(desk.house, "docteur", SECRET)
        ring = members.keyring_of(desk.house, member, seed)
        return {"member": seed} | {name: ring.seed(f"circle:{name}") for name in ring.circles}


def _envelope_seeds(premises: Premises, folder: Path, study_uid: str) -> dict[str, Seed]:
    """The seeds of that study's envelopes, opened with the doctor's keys in a copy of the vault."""
    with premises.copy(folder).desk() as desk:
        rows = ask(desk, "search", "docteur", query=study_uid)
        member, seed = members.unlock(desk.house, "docteur", SECRET)
        ring = members.keyring_of(desk.house, member, seed)
        envelopes = [envelope for row in rows for envelope in row["Envelopes"]]
        found = {each: ring.envelope_seed(desk.house.store, each) for each in envelopes}
    return {each: seed for each, seed in found.items() if seed is not None}


def _everything_of(name: str, seed: Seed) -> dict[str, bytes]:
    """A seed and whatever is derived from it and opens what it opens."""
    return {
        name: seed.reveal(),
        f"{name}, X-Wing": derive(seed.reveal(), "x-wing"),
        f"{name}, age": age_identity(seed).encode(),
        f"{name}, wraps": subkey(seed, "wrap").reveal(),
    }


def _all_of(seeds: dict[str, Seed]) -> dict[str, bytes]:
    return {k: v for name, seed in seeds.items() for k, v in _everything_of(name, seed).items()}


def test_no_receiver_ever_holds_what_opens_an_envelope(running: Running, tmp_path: Path) -> None:
    """No key of a person or a circle, ever; no envelope's seed, while its association is open and
    after. Its clinical header key stays until the end, and maybe in freed memory for a while
    (threat model, "Memory")."""
    receivers = [pid for name, pid in running.processes.items() if name.startswith("receiver")]
    port = int(running.server.dicom_port)
    theirs = _all_of(running.seeds)
    sender = Sender(lambda: port, 3000)
    study_uid = "2.25.10"  # of the instances a `Sender` makes
    with ExitStack() as stack:  # each is served by another process
        peers = [stack.enter_context(Association(port)) for _ in receivers]
        for peer in peers:
            assert [sender.one(peer) for _ in range(3)] == [SUCCESS] * 3
        envelopes = _envelope_seeds(running.premises, tmp_path, study_uid)
        assert len(envelopes) == len(receivers)
        keys = {e: subkey(seed, "clinical-header").reveal() for e, seed in envelopes.items()}
        # they can be found, one in each: what comes next means something
        assert [len(count_in_memory(pid, keys)) for pid in receivers] == [1] * len(receivers)
        for pid in receivers:
            assert count_in_memory(pid, theirs | _all_of(envelopes)) == {}
        for peer in peers:
            peer.release()
    with ExitStack() as stack:  # somebody else's memory may be reused only now
        for peer in [stack.enter_context(Association(port)) for _ in receivers]:
            assert sender.one(peer) == SUCCESS
            peer.release()
    for pid in receivers:
        assert count_in_memory(pid, theirs | _all_of(envelopes)) == {}


def test_the_open_practice_holds_its_keys_in_the_web_process_only(running: Running) -> None:
    theirs = _all_of(running.seeds)
    running.premises.vault.json("unlock", "--as", "docteur")
    where = {n for n, pid in running.processes.items() if count_in_memory(pid, theirs)}
    assert where == {"web"}
    held = count_in_memory(running.processes["web"], theirs)
    assert {"member", "care", "secretariat"} <= held.keys()
    running.premises.vault.json("lock")
