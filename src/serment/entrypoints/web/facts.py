"""The sentences behind the home page: each fact with how it is known, each task with its reason.

Tables only. What stands, and what is to be done, is decided behind `services.Practice`.
"""

from __future__ import annotations

from dataclasses import dataclass

from serment.entrypoints.web.views import FactName, State, TodoName
from serment.errors import N_


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is claimed when all is well and when it is not, what is open while nobody looked, and
    how Serment knows. A tuple among the values is a list of circles."""

    good: str
    bad: str
    unknown: str
    how: str


FACTS = {
    FactName.OBJECTS_SEALED: Evidence(
        N_("The {objects} images and documents were sealed on arrival"),
        N_("{damaged} of {objects} sealed objects are damaged"),
        N_("Whether the {objects} sealed objects are undamaged"),
        N_(
            "each as an age file under a key of its own; the newest 50 were looked at now, and "
            "`serment doctor` compares the SHA-256 of all of them"
        ),
    ),
    FactName.KEYS_AWAY: Evidence(
        N_("No key that opens a patient is on the disk in clear"),
        N_("A key that opens patients is on the disk in clear"),
        N_("Whether a key that opens patients is on the disk in clear"),
        N_(
            "each of the {wraps} stored keys is recorded as sealed to a password, a public key or "
            "another key; those of members and circles have the length of a sealed key"
        ),
    ),
    FactName.KIT_AWAY: Evidence(
        N_("The recovery kit is not on this machine"),
        N_("{shares} of 3 shares of the recovery kit can be read on this machine"),
        N_("Whether the recovery kit is on this machine"),
        N_(
            "files named as shares are looked for where the kit was written, beside the vault, in "
            "this account's documents and on what is plugged in; renamed or zipped copies are not "
            "known"
        ),
    ),
    FactName.OPEN_SESSIONS: Evidence(
        N_("The practice is locked: no key is in memory"),
        N_(
            "Sessions open now: {sessions}; until they lock, whoever controls the running server "
            "could use the keys of {circles}"
        ),
        N_("How many sessions are open"),
        N_("sessions of this server's memory are counted; locking drops their keys"),
    ),
    FactName.JOURNAL_WHOLE: Evidence(
        N_("The journal of {entries} entries is whole"),
        N_("The journal of {entries} entries does not add up"),
        N_("Whether the journal of {entries} entries is whole"),
        N_("its Merkle tree is computed again and held against the signed checkpoints"),
    ),
    FactName.SWAP: Evidence(
        N_("Memory is not written to an unencrypted swap file"),
        N_("Memory may be written to an unencrypted swap file"),
        N_("Whether memory is written to an unencrypted swap file"),
        N_("Serment cannot tell on every system: encrypt the whole disk of this machine as well"),
    ),
}

STATES = {
    State.GOOD: ("check", N_("seen")),
    State.ATTENTION: ("alert", N_("watch")),
    State.BAD: ("cross", N_("to mend")),
    State.UNKNOWN: ("question", N_("not checked")),
}


@dataclass(frozen=True, slots=True)
class Task:
    """A thing to do: sentence (one, many), why (with the article), where, and the button."""

    icon: str
    one: str
    many: str
    why: str
    href: str
    button: str
    urgent: bool = False


TASKS = {
    TodoName.KIT_HERE: Task(
        "key",
        N_("Take the recovery kit off this machine"),
        N_("Take the recovery kit off this machine"),
        N_("two shares open everything: a thief who finds them here reads every patient (Art. 32)"),
        "/settings#kit",
        N_("See the kit"),
        urgent=True,
    ),
    TodoName.KEYS_COPY: Task(
        "alert",
        N_("Have the database examined: it is not what the second copy of the keys knows"),
        N_("Have the database examined: it is not what the second copy of the keys knows"),
        N_("the disk, or somebody, changed it; call your IT provider, who runs `serment doctor`"),
        "/journal",
        N_("See the journal"),
        urgent=True,
    ),
    TodoName.EXPOSED: Task(
        "exposure",
        N_("Close {count} critical opening in the practice's network"),
        N_("Close {count} critical openings in the practice's network"),
        N_("whoever reaches this network, or the Internet, reads patients there (Art. 32)"),
        "/exposure",
        N_("See how"),
        urgent=True,
    ),
    TodoName.EXPOSED_NEW: Task(
        "exposure",
        N_("Look at {count} finding that the last audit brought"),
        N_("Look at {count} findings that the last audit brought"),
        N_(
            "something opened since the audit before: close it, or say who answers for it (Art. 32)"
        ),
        "/exposure",
        N_("See"),
    ),
    TodoName.AUDIT_FAILED: Task(
        "exposure",
        N_("The weekly audit of the network failed"),
        N_("The weekly audit of the network failed"),
        N_("nobody looks at what strangers can reach until it succeeds (Art. 32(1)(d))"),
        "/exposure#weekly",
        N_("See why"),
    ),
    TodoName.AUDIT_NEVER: Task(
        "exposure",
        N_("Look what strangers can reach in this network"),
        N_("Look what strangers can reach in this network"),
        N_("an open box or archive goes unnoticed for months; an audit takes a minute (Art. 32)"),
        "/exposure",
        N_("Audit"),
    ),
    TodoName.CIRCLE_STOPPED: Task(
        "alert",
        N_("{count} circle has stopped receiving: its public key was changed"),
        N_("{count} circles have stopped receiving: their public keys were changed"),
        N_("somebody may have swapped a key to read what arrives; call your IT provider"),
        "/members#circles",
        N_("See the circles"),
        urgent=True,
    ),
    TodoName.CIRCLE_STALE: Task(
        "key",
        N_("{count} circle waits for a new key since a member left"),
        N_("{count} circles wait for a new key since a member left"),
        N_("a remaining member's next sign-in makes it; until then the old key still opens it"),
        "/members#circles",
        N_("See the circles"),
    ),
    TodoName.NO_DOCTOR: Task(
        "members",
        N_("Add the first doctor"),
        N_("Add the first doctor"),
        N_("nothing is received before somebody exists who can open it"),
        "/members#add",
        N_("Add a member"),
        urgent=True,
    ),
    TodoName.NO_DEVICE: Task(
        "device",
        N_("Declare the first device"),
        N_("Declare the first device"),
        N_("unknown devices are refused before they send a byte (Art. 32)"),
        "/members#devices",
        N_("Add a device"),
    ),
    TodoName.ADMIT: Task(
        "members",
        N_("{count} colleague waits to be admitted"),
        N_("{count} colleagues wait to be admitted"),
        N_("compare eight words with the person: only then is the key shared"),
        "/members",
        N_("Compare"),
    ),
    TodoName.TO_FILE: Task(
        "inbox",
        N_("{count} arrival to file"),
        N_("{count} arrivals to file"),
        N_("an image in the wrong file is a danger and a breach of accuracy (Art. 5(1)(d))"),
        "/to-file",
        N_("File"),
    ),
    TodoName.CONFLICTS: Task(
        "alert",
        N_("{count} image came twice with different content"),
        N_("{count} images came twice with different content"),
        N_("both are kept apart and marked; the device should say which one counts"),
        "/studies",
        N_("See the studies"),
    ),
    TodoName.SECOND_FACTOR: Task(
        "phone",
        N_("Turn on your second factor"),
        N_("Turn on your second factor"),
        N_("a stolen password alone then opens nothing from afar (Art. 32)"),
        "/settings#second-factor",
        N_("Turn it on"),
    ),
    TodoName.KIT_PRINTED: Task(
        "printer",
        N_("Print the recovery kit and say so"),
        N_("Print the recovery kit and say so"),
        N_("without it, forgotten passwords mean lost records (Art. 32(1)(c))"),
        "/settings#kit",
        N_("Declare"),
    ),
    TodoName.KIT_TRIED: Task(
        "key",
        N_("Try the recovery kit once"),
        N_("Try the recovery kit once"),
        N_("a kit that was never tried is a hope, not a safeguard (Art. 32(1)(d))"),
        "/settings#kit",
        N_("See how"),
    ),
    TodoName.CHECKPOINT: Task(
        "download",
        N_("Keep a checkpoint of the journal elsewhere"),
        N_("Keep a checkpoint of the journal elsewhere"),
        N_("it proves later that nobody rewrote what came before (Art. 5(2))"),
        "/journal#verify",
        N_("Download"),
    ),
}
