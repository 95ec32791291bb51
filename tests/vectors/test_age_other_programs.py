"""Programs that share no code with Serment open its files: this is what "recoverable" means."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path

import pytest
from tests.sealing import seal_bytes

from serment.core.crypto import keys, selftest
from serment.core.crypto.age import (
    AgeWriter,
    HybridIdentity,
    HybridRecipient,
    X25519Identity,
    open_bytes,
)

TOOLS = Path(__file__).parent.parent / "tools"
SIZES = [0, 1, 65535, 65536, 65537, 300_000]


def plain_of(size: int) -> bytes:
    return bytes(i * 7 & 255 for i in range(size))


def streamed(plain: bytes, *recipients) -> bytes:
    writer = AgeWriter(recipients)
    pieces = [writer.update(plain[i : i + 50_000]) for i in range(0, len(plain), 50_000)]
    return b"".join([writer.header(), *pieces, writer.finish()])


@pytest.fixture
def age(tool, tmp_path):
    identity = X25519Identity(keys.new_seed())
    (tmp_path / "key.txt").write_text(identity.to_string() + "\n")

    def run(*arguments: str, given: bytes) -> subprocess.CompletedProcess[bytes]:
        command = [tool("age"), *arguments]
        return subprocess.run(command, input=given, capture_output=True, cwd=tmp_path, timeout=60)

    return identity, run


@pytest.mark.real("age")
@pytest.mark.parametrize("size", SIZES)
def test_stock_age_opens_our_x25519_files(age, size):
    identity, run = age
    plain = plain_of(size)
    for file in (seal_bytes(plain, identity.recipient()), streamed(plain, identity.recipient())):
        done = run("--decrypt", "-i", "key.txt", given=bytes(file))
        assert done.returncode == 0, done.stderr
        assert done.stdout == plain


@pytest.mark.real("age")
@pytest.mark.parametrize("size", SIZES)
def test_we_open_what_stock_age_writes(age, size):
    identity, run = age
    done = run("--encrypt", "-r", str(identity.recipient()), given=plain_of(size))
    assert done.returncode == 0, done.stderr
    assert open_bytes(done.stdout, identity) == plain_of(size)


@pytest.mark.real("age")
def test_stock_age_refuses_our_file_when_a_bit_changed(age):
    identity, run = age
    file = seal_bytes(b"plain", identity.recipient())
    file[-1] ^= 1
    assert run("--decrypt", "-i", "key.txt", given=bytes(file)).returncode != 0


@pytest.fixture
def typage(tool):
    """The npm package age-encryption; a list of (identity line, file) gives its answers."""

    def run(asked: list[tuple[str, bytes]]) -> list[dict[str, str]]:
        lines = [
            json.dumps({"identity": identity, "file": base64.b64encode(file).decode()})
            for identity, file in asked
        ]
        done = subprocess.run(
            [tool("node"), str(TOOLS / "age_open.js")],
            input="\n".join(lines),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run


@pytest.mark.real("node")
def test_age_encryption_opens_our_post_quantum_files_and_derives_the_same_recipient(typage):
    seed, other = keys.new_seed(), HybridRecipient(keys.public_key(keys.new_seed()))
    ours = HybridRecipient(keys.public_key(seed))
    plains = [plain_of(size) for size in SIZES]
    files = [bytes(seal_bytes(plain, ours)) for plain in plains]
    files += [streamed(plain, other, ours) for plain in plains]
    answers = typage([(keys.age_identity(seed), file) for file in files])
    assert [base64.b64decode(answer["plain"]) for answer in answers] == plains * 2
    assert {answer["recipient"] for answer in answers} == {keys.age_recipient(ours.public)}


@pytest.mark.real("node")
def test_age_encryption_opens_the_file_of_the_self_test(typage):
    file = base64.b64decode(selftest.AGE_FILE)
    (answer,) = typage([(keys.age_identity(selftest.SEED), file)])
    assert base64.b64decode(answer["plain"]) == b"serment self-test"


@pytest.mark.real("node")
def test_age_encryption_refuses_a_changed_file_and_a_stranger(typage):
    seed = keys.new_seed()
    file = seal_bytes(b"plain", HybridIdentity(seed).recipient())
    changed = bytes(file[:-1]) + bytes([file[-1] ^ 1])
    answers = typage(
        [
            (keys.age_identity(seed), bytes(file)),
            (keys.age_identity(seed), changed),
            (keys.age_identity(keys.new_seed()), bytes(file)),
        ]
    )
    assert ["error" in answer for answer in answers] == [False, True, True]
