"""The keys a session holds, and what they open: a right exists here or nowhere.

A keyring starts from one seed (a member's, or recovery's) and follows wraps: member -> circles ->
patients -> envelopes. What no wrap leads to stays None; nothing here looks at a role.
"""

from __future__ import annotations

from collections.abc import Iterable

from serment.core.crypto.keys import public_key, subkey
from serment.core.crypto.secret import Key, Seed
from serment.core.crypto.wraps import unwrap_under_key, unwrap_with_seed
from serment.core.records import contexts
from serment.core.records.vault import Circle, Wrap, WrapKind, WrapMethod
from serment.errors import N_, IntegrityError
from serment.ports import Store

WRAP = "wrap"  # label of the subkey under which a held secret wraps others


class Keyring:
    """Seeds by recipient ("member:...", "circle:...", "recovery") and epoch, plus opened keys."""

    def __init__(self, vault: str, recipient: str, seed: Seed, epoch: int = 0) -> None:
        self.vault = vault
        self._seeds: dict[str, dict[int, Seed]] = {recipient: {epoch: seed}}
        self._wrapping: dict[tuple[str, int], Key] = {}
        self._parents: dict[str, Key] = {}  # patient identity and clinical keys
        self.stopped: set[str] = set()  # circles whose public key was swapped

    def open_circles(self, store: Store) -> None:
        """Follow the circle seeds wrapped to what is held, newest epoch and earlier ones."""
        circles = {(c.id, c.epoch): c for c in store.find(Circle)}
        pending = store.find(Wrap, kind=WrapKind.CIRCLE_SEED)
        progress = True
        while progress:
            progress = False
            for wrap in list(pending):
                secret = self._try(wrap)
                if secret is None:
                    continue
                pending.remove(wrap)
                progress = True
                name, _, epoch = wrap.subject.removeprefix("circle:").rpartition("@")
                self._hold_circle(circles.get((name, int(epoch))), name, int(epoch), secret)

    def _hold_circle(self, circle: Circle | None, name: str, epoch: int, secret: bytes) -> None:
        seed = Seed(secret)
        if circle is None or public_key(seed) != circle.public_key:
            self.stopped.add(name)  # what was sealed before stays readable
        self.hold(f"circle:{name}", epoch, seed)

    def hold(self, recipient: str, epoch: int, seed: Seed) -> None:
        self._seeds.setdefault(recipient, {})[epoch] = seed

    def holds(self, circle: str) -> bool:
        """Whether the seed of that circle is here."""
        return f"circle:{circle}" in self._seeds

    def only(self, circle: str) -> Keyring:
        """A keyring with that circle's seeds and nothing else: what its search table may use."""
        recipient = f"circle:{circle}"
        ring = Keyring(self.vault, recipient, self.seed(recipient), self.epoch(recipient))
        for epoch, seed in self._seeds[recipient].items():
            ring.hold(recipient, epoch, seed)
        return ring

    @property
    def circles(self) -> frozenset[str]:
        return frozenset(r.removeprefix("circle:") for r in self._seeds if r.startswith("circle:"))

    def seed(self, recipient: str, epoch: int | None = None) -> Seed:
        """A held seed; the newest epoch unless one is named. KeyError when it is not held."""
        epochs = self._seeds[recipient]
        return epochs[max(epochs) if epoch is None else epoch]

    def epoch(self, recipient: str) -> int:
        return max(self._seeds[recipient])

    def wrapping_key(self, recipient: str, epoch: int) -> Key:
        """The AES-256 key under which a holder of that seed wraps."""
        found = self._wrapping.get((recipient, epoch))
        if found is None:
            found = subkey(self._seeds[recipient][epoch], WRAP)
            self._wrapping[recipient, epoch] = found
        return found

    def key(self, store: Store, kind: WrapKind, subject: str) -> Key | None:
        """The 32-byte key that is the subject's, when some wrap leads to it; else None."""
        return self.key_from(store, kind, subject, store.find(Wrap, kind=kind, subject=subject))

    def key_from(
        self, store: Store, kind: WrapKind, subject: str, wraps: Iterable[Wrap]
    ) -> Key | None:
        """The same from wraps already read; parents (patients) are read once and remembered."""
        remember = kind in (WrapKind.PATIENT_IDENTITY, WrapKind.PATIENT_CLINICAL)
        if remember and subject in self._parents:
            return self._parents[subject]
        for wrap in wraps:
            secret = self._try(wrap) or self._through_parent(store, wrap)
            if secret is not None:
                if remember:
                    self._parents[subject] = Key(secret)
                return Key(secret)
        return None

    def envelope_seed(self, store: Store, envelope: str) -> Seed | None:
        """The seed that opens an envelope's objects and clinical headers."""
        found = self.key(store, WrapKind.ENVELOPE_SEED, f"envelope:{envelope}")
        return None if found is None else Seed(found.reveal())

    def remember(self, subject: str, key: Key) -> None:
        """A patient's key made by this session."""
        self._parents[subject] = key

    def forget(self, subject: str) -> None:
        """Forget a patient's remembered key (after erasure or undoing)."""
        self._parents.pop(subject, None)

    def close(self) -> None:
        """Drop every seed; Python cannot wipe them for sure (threat model, limits)."""
        self._seeds.clear()
        self._wrapping.clear()
        self._parents.clear()

    def _try(self, wrap: Wrap) -> bytes | None:
        epochs = self._seeds.get(wrap.recipient)
        if epochs is None or wrap.epoch not in epochs:
            return None
        context = contexts.wrap(self.vault, wrap.kind, wrap.subject, wrap.recipient, wrap.epoch)
        if wrap.method is WrapMethod.HPKE:
            return unwrap_with_seed(wrap.blob, epochs[wrap.epoch], context)
        return unwrap_under_key(wrap.blob, self.wrapping_key(wrap.recipient, wrap.epoch), context)

    def _through_parent(self, store: Store, wrap: Wrap) -> bytes | None:
        kind = _PARENTS.get(wrap.recipient.partition(":")[0])
        if kind is None:
            return None
        parent = self.key(store, kind, wrap.recipient)
        if parent is None:
            return None
        context = contexts.wrap(self.vault, wrap.kind, wrap.subject, wrap.recipient, wrap.epoch)
        return unwrap_under_key(wrap.blob, subkey(parent, WRAP), context)


_PARENTS = {"patient": WrapKind.PATIENT_IDENTITY, "compartment": WrapKind.PATIENT_CLINICAL}


def check_member(seed: Seed, registered: bytes) -> None:
    """An opened seed must reproduce its stored public key, or somebody swapped one of them."""
    if public_key(seed) != registered:
        raise IntegrityError(
            N_("the public key stored for this member is not the one his password opens"),
            hint=N_(
                "somebody changed the vault: run `serment journal verify`, then `serment doctor`"
            ),
        )
