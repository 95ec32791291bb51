"""The keys a session holds, and what they open: a right exists here or nowhere.

A keyring starts from one seed (a member's, or recovery's) and follows wraps: member -> circles ->
patients -> envelopes. What no wrap leads to stays None; nothing here looks at a role.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping

from serment.app.belief import Belief
from serment.core.crypto.keys import public_key, subkey
from serment.core.crypto.secret import Key, Seed
from serment.core.crypto.wraps import unwrap_under_key, unwrap_with_seed
from serment.core.records import contexts, names
from serment.core.records.vault import Circle, CircleKind, Wrap, WrapKind, WrapMethod
from serment.errors import N_, IntegrityError, VaultLocked
from serment.ports import OneOf, Store

WRAP = "wrap"  # label of the subkey under which a held secret wraps others
PATIENT = names.patient("")  # how the name of a patient's key begins


class Keyring:
    """Seeds by recipient ("member:...", "circle:...", "recovery") and epoch, plus opened keys."""

    def __init__(self, vault: str, recipient: str, seed: Seed, epoch: int = 0) -> None:
        self.vault = vault
        self._seeds: dict[str, dict[int, Seed]] = {recipient: {epoch: seed}}
        self._wrapping: dict[tuple[str, int], Key] = {}
        self._parents: dict[str, Key] = {}  # patient identity and clinical keys
        self.stopped: set[str] = set()  # circles whose public key was swapped
        self.belief = Belief()  # to whom keys may be wrapped: what `trust` found last

    def open_circles(
        self,
        store: Store,
        only: Collection[str] | None = None,
        damaged: set[str] | None = None,
    ) -> None:
        """Follow the circle seeds wrapped to what is held, newest epoch and earlier ones; `only`
        those of the circles named.

        Args:
            damaged: gets the seeds that only wraps that are not authentic lead to, instead of an
                exception.
        """
        circles = {(c.id, c.epoch): c for c in store.find(Circle)}
        pending = store.find(Wrap, kind=WrapKind.CIRCLE_SEED)
        if only is not None:
            pending = [wrap for wrap in pending if names.parse_name(wrap.subject).id in only]
        self.stopped -= self.stopped if only is None else set(only)
        opened: set[str] = set()
        failed: dict[str, IntegrityError] = {}
        while reached := [wrap for wrap in pending if self.holds_epoch(wrap.recipient, wrap.epoch)]:
            pending = [wrap for wrap in pending if not self.holds_epoch(wrap.recipient, wrap.epoch)]
            for wrap in reached:
                secret = self._attempt(wrap, failed)
                if secret is not None:
                    opened.add(wrap.subject)
                    name = names.parse_name(wrap.subject)
                    self._hold_circle(circles.get((name.id, name.epoch)), name, Seed(secret))
        _tell(failed, opened, damaged)

    def _attempt(self, wrap: Wrap, failed: dict[str, IntegrityError]) -> bytes | None:
        """What the wrap holds; None, and why in `failed`, when it is not authentic."""
        try:
            return self._open(wrap)
        except IntegrityError as error:
            failed[wrap.subject] = error
            return None

    def _hold_circle(self, circle: Circle | None, opened: names.Name, seed: Seed) -> None:
        if circle is None or public_key(seed) != circle.public_key:
            self.stopped.add(opened.id)  # what was sealed before stays readable
        self.hold(names.circle(opened.id), opened.epoch, seed)

    def hold(self, recipient: str, epoch: int, seed: Seed) -> None:
        self._seeds.setdefault(recipient, {})[epoch] = seed

    def holds(self, circle: str) -> bool:
        """Whether the seed of that circle is here."""
        return names.circle(circle) in self._seeds

    def only(self, circle: str) -> Keyring:
        """A keyring with that circle's seeds and nothing else: what its search table may use."""
        recipient = names.circle(circle)
        ring = Keyring(self.vault, recipient, self.seed(recipient), self.epoch(recipient))
        ring.adopt(self, circle)
        return ring

    def adopt(self, other: Keyring, circle: str) -> None:
        """Hold every epoch of a circle that another keyring holds, and believe what it believes."""
        for epoch, seed in other._seeds[names.circle(circle)].items():
            self.hold(names.circle(circle), epoch, seed)
        self.belief = other.belief

    def entitled(self, wanted: Iterable[Circle]) -> list[Circle]:
        """Those of the circles that a key is wrapped to: as they were believed.

        Raises:
            IntegrityError: recovery, or one held here, is not as it was believed.
        """
        return self.belief.among(wanted, self.circles)

    @property
    def circles(self) -> frozenset[str]:
        return frozenset(r.removeprefix("circle:") for r in self._seeds if r.startswith("circle:"))

    def seed(self, recipient: str, epoch: int | None = None) -> Seed:
        """A held seed; the newest epoch unless one is named."""
        return self._epochs(recipient)[self.epoch(recipient) if epoch is None else epoch]

    def epoch(self, recipient: str) -> int:
        """The newest epoch held."""
        return max(self._epochs(recipient))

    def _epochs(self, recipient: str) -> dict[int, Seed]:
        try:
            return self._seeds[recipient]
        except KeyError:
            raise VaultLocked(
                N_("the session is over: the keys were dropped"), hint=N_("sign in again")
            ) from None

    def wrapping_key(self, recipient: str, epoch: int) -> Key:
        """The AES-256 key under which a holder of that seed wraps."""
        found = self._wrapping.get((recipient, epoch))
        if found is None:
            found = subkey(self.seed(recipient, epoch), WRAP)
            self._wrapping[recipient, epoch] = found
        return found

    def holds_epoch(self, recipient: str, epoch: int) -> bool:
        """Whether the seed that opens what is wrapped to that recipient and epoch is here."""
        return epoch in self._seeds.get(recipient, ())

    def key(self, store: Store, kind: WrapKind, subject: str) -> Key | None:
        """The 32-byte key that is the subject's, when some wrap leads to it; else None."""
        return self.keys(store, kind, (subject,)).get(subject)

    def keys(
        self,
        store: Store,
        kind: WrapKind,
        subjects: Collection[str],
        damaged: set[str] | None = None,
        under: Mapping[str, str] | None = None,
    ) -> dict[str, Key]:
        """The keys of several subjects, those some wrap leads to: one query, and one more for the
        patients above them. Patients' keys are remembered.

        Of several wraps of one key any that opens will do.

        Args:
            damaged: gets the subjects that only wraps that are not authentic lead to, instead of
                an exception.
            under: by subject, the patient whose key must hold it; what is not named must be held
                by no patient. A wrap elsewhere is damage: somebody changed what a row says.
        """
        failed: dict[str, IntegrityError] = {}
        found = self._follow(store, kind, subjects, failed, under)
        _tell(failed, found, damaged)
        return found

    def _follow(
        self,
        store: Store,
        kind: WrapKind,
        subjects: Collection[str],
        failed: dict[str, IntegrityError],
        under: Mapping[str, str] | None,
    ) -> dict[str, Key]:
        found = {s: self._parents[s] for s in subjects if s in self._parents}
        wanted = [subject for subject in subjects if subject not in found]
        if not wanted:
            return found
        above: dict[str, IntegrityError] = {}
        wraps = self._wraps(store, kind, wanted, above)
        for wrap in wraps:
            if wrap.subject in found:
                continue
            if not _is_filed_so(wrap, under):
                failed[wrap.subject] = _filed_elsewhere(wrap)
                continue
            secret = self._attempt(wrap, failed)
            if secret is not None:
                found[wrap.subject] = Key(secret)
        kept_from = {w.recipient for w in wraps if w.subject not in found}
        failed |= {parent: error for parent, error in above.items() if parent in kept_from}
        if kind in _PARENTS.values():
            self._parents |= found
        return found

    def _wraps(
        self,
        store: Store,
        kind: WrapKind,
        wanted: list[str],
        failed: dict[str, IntegrityError],
    ) -> list[Wrap]:
        """The wraps that may lead to those subjects, the patients' keys above them opened."""
        if kind not in _PARENTS:
            held = OneOf(tuple(self._seeds))
            return store.find(Wrap, kind=kind, subject=OneOf(wanted), recipient=held)
        wraps = store.find(Wrap, kind=kind, subject=OneOf(wanted))
        above = {w.recipient for w in wraps} - self._seeds.keys()
        self._follow(store, _PARENTS[kind], above, failed, None)
        return wraps

    def _open(self, wrap: Wrap) -> bytes | None:
        parent = self._parents.get(wrap.recipient)
        if parent is None:
            return self._try(wrap)
        context = contexts.wrap(self.vault, wrap.kind, wrap.subject, wrap.recipient, wrap.epoch)
        return unwrap_under_key(wrap.blob, subkey(parent, WRAP), context)

    def envelope_seed(self, store: Store, envelope: str) -> Seed | None:
        """The seed that opens an envelope's objects and clinical headers."""
        found = self.key(store, WrapKind.ENVELOPE_SEED, names.envelope(envelope))
        return None if found is None else Seed(found.reveal())

    def remember(self, subject: str, key: Key) -> None:
        """A patient's key made by this session."""
        self._parents[subject] = key

    def forget(self, subjects: Iterable[str]) -> None:
        """Forget remembered keys: other wraps lead to them than before, or none."""
        for subject in subjects:
            self._parents.pop(subject, None)

    def close(self) -> None:
        """Drop every seed; Python cannot wipe them for sure (threat model, limits)."""
        self.belief = Belief()
        self._seeds.clear()
        self._wrapping.clear()
        self._parents.clear()

    def _try(self, wrap: Wrap) -> bytes | None:
        epochs = self._seeds.get(wrap.recipient)
        if epochs is None or wrap.epoch not in epochs:
            return None
        context = contexts.wrap(self.vault, wrap.kind, wrap.subject, wrap.recipient, wrap.epoch)
        if wrap.method is WrapMethod.HPKE:
            _check_from_outside(wrap)
            return unwrap_with_seed(wrap.blob, epochs[wrap.epoch], context)
        return unwrap_under_key(wrap.blob, self.wrapping_key(wrap.recipient, wrap.epoch), context)


_PARENTS = {  # what is filed is wrapped under a key of its patient
    WrapKind.ENVELOPE_IDENTITY: WrapKind.PATIENT_IDENTITY,
    WrapKind.ENVELOPE_SEED: WrapKind.PATIENT_CLINICAL,
}


def _check_from_outside(wrap: Wrap) -> None:
    """Anybody can wrap to a public key. The keys of patients, under which new keys are put, come
    from a circle's own members, but the DPO's and recovery's, who put nothing under them."""
    patients = wrap.kind in _PARENTS.values()
    if patients and wrap.recipient not in (names.RECOVERY, names.circle(CircleKind.DPO.value)):
        raise IntegrityError(
            N_("{kind} of {subject} was not given by a member of the circle"),
            hint=N_(
                "somebody changed the vault: run `serment journal verify`, then `serment doctor`"
            ),
            kind=wrap.kind.value,
            subject=wrap.subject,
        )


def _is_filed_so(wrap: Wrap, under: Mapping[str, str] | None) -> bool:
    """Whether the wrap is under the patient that is said, or under none when none is said."""
    filed = wrap.recipient if wrap.recipient.startswith(PATIENT) else None
    return under is None or under.get(wrap.subject) == filed


def _filed_elsewhere(wrap: Wrap) -> IntegrityError:
    return IntegrityError(
        N_("{kind} of {subject} is not where its row says"),
        hint=N_("somebody changed the vault: run `serment journal verify`, then `serment doctor`"),
        kind=wrap.kind.value,
        subject=wrap.subject,
    )


def _tell(
    failed: Mapping[str, IntegrityError], opened: Container[str], damaged: set[str] | None
) -> None:
    """Put what nothing else opened into `damaged`, or raise why where nobody asks for it."""
    for subject, error in failed.items():
        if subject not in opened:
            if damaged is None:
                raise error
            damaged.add(subject)


def check_member(seed: Seed, registered: bytes) -> None:
    """An opened seed must reproduce its stored public key, or somebody swapped one of them."""
    if public_key(seed) != registered:
        raise IntegrityError(
            N_("the public key stored for this member is not the one his password opens"),
            hint=N_(
                "somebody changed the vault: run `serment journal verify`, then `serment doctor`"
            ),
        )
