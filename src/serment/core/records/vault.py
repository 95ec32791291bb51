"""The rows of a vault: what is kept about members, devices, patients, envelopes and their keys.

Nothing here is readable patient data: what concerns a patient is `bytes` sealed by
`core.crypto`, and every id is random (32 hexadecimal digits), never derived from a peer's value.
Times are aware UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

FORMAT_VERSION = 1  # of everything on disk (docs/format.md); vectors of each stay for ever


class Role(StrEnum):
    """What a person does in the practice; a role is the circles it holds keys of."""

    ADMINISTRATOR = "administrator"
    DOCTOR = "doctor"
    SECRETARY = "secretary"
    DPO = "dpo"


class MemberState(StrEnum):
    ACTIVE = "active"
    PENDING = "pending"
    REMOVED = "removed"


class CircleKind(StrEnum):
    SECRETARIAT = "secretariat"
    CARE = "care"
    DPO = "dpo"
    RECOVERY = "recovery"


class EnvelopeKind(StrEnum):
    """The only clinical hint that stays readable at rest (threat model, readable metadata)."""

    IMAGE = "image"
    REPORT = "report"
    DOCUMENT = "document"


class WrapKind(StrEnum):
    """What a wrap holds; the name is bound into its associated data."""

    MEMBER_SEED = "member-seed"
    CIRCLE_SEED = "circle-seed"
    ENVELOPE_SEED = "envelope-seed"
    ENVELOPE_IDENTITY = "envelope-identity"
    PATIENT_IDENTITY = "patient-identity"
    PATIENT_CLINICAL = "patient-clinical"
    CA_KEY = "ca-key"


class WrapMethod(StrEnum):
    HPKE = "hpke"  # to a public key: RFC 9180, X-Wing
    KEY = "key"  # under a key the wrapper holds: AES-256-GCM
    PASSWORD = "password"  # under Argon2id of a password: AES-256-GCM


class ObjectState(StrEnum):
    KEPT = "kept"
    DUPLICATE = "duplicate"  # same instance, same content, filed twice: not shown
    CONFLICT = "conflict"  # same SOP Instance UID, other content: shown, flagged


@dataclass(frozen=True, slots=True)
class Setting:
    """One fact about the vault itself (practice name, recovery public key, tree state ...)."""

    key: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Member:
    id: str
    login: str
    roles: tuple[Role, ...]
    circles: tuple[str, ...]  # what the roles ask for; held only when a CIRCLE_SEED wrap exists
    public_key: bytes
    state: MemberState
    created: datetime
    totp: bytes | None = None  # TOTP secret sealed under the member seed


@dataclass(frozen=True, slots=True)
class Circle:
    """A key pair shared by members. Earlier epochs stay so that old wraps can be opened."""

    id: str  # "secretariat", "dpo", "recovery", or a care circle's name ("care" by default)
    kind: CircleKind
    epoch: int
    public_key: bytes
    created: datetime
    stopped: bool = False  # its public key failed the check at opening: receiving is refused
    stale: bool = False  # a member left: the next session of a remaining member makes a new epoch


@dataclass(frozen=True, slots=True)
class Device:
    id: str
    name: str
    ae_title: str
    called_ae_title: str
    address: str
    circle: str
    token_hash: bytes
    created: datetime
    removed: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wrap:
    """One key sealed for one recipient; deleting it is how a right, or a patient, disappears."""

    kind: WrapKind
    subject: str
    recipient: str
    epoch: int
    method: WrapMethod
    blob: bytes


@dataclass(frozen=True, slots=True)
class Patient:
    """A random id and the identity record sealed under the patient identity key."""

    id: str
    identity: bytes
    created: datetime


@dataclass(frozen=True, slots=True)
class Compartment:
    """The clinical compartment of one patient for one care circle."""

    id: str
    patient: str
    circle: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """What arrived together: one study of one association, or one document.

    `patient` is set by filing; `compartment` follows once a carer's session moved the envelope
    seed under the patient's clinical key. `decided_by` is a member id when a person filed or
    unfiled it, so that automatic filing leaves it alone.
    """

    id: str
    kind: EnvelopeKind
    circle: str
    device: str | None
    source: str  # "dicom", "stow", "import", "web"
    arrived: datetime
    public_key: bytes
    patient: str | None = None
    compartment: str | None = None
    decided_by: str | None = None
    closed: bool = False
    summary: bytes | None = None  # category summary sealed under the patient identity key


@dataclass(frozen=True, slots=True)
class IdentityHeader:
    """One distinct administrative header of an envelope, sealed under its identity header key."""

    envelope: str
    number: int
    sealed: bytes


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One immutable sealed thing and where its bytes are; rebuilt from the packs if lost."""

    id: str
    envelope: str
    pack: str
    offset: int  # of the age file inside the pack, in bytes
    size: int  # of the age file, in bytes
    sha256: bytes  # of the age file
    header: bytes  # clinical header sealed under the envelope's clinical header key
    state: ObjectState = ObjectState.KEPT


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A circle's search rows, sealed under a key derived from its seed."""

    circle: str
    epoch: int
    cursor: int  # object cursor up to which the rows go
    sealed: bytes


Row = (
    Setting
    | Member
    | Circle
    | Device
    | Wrap
    | Patient
    | Compartment
    | Envelope
    | IdentityHeader
    | StoredObject
    | Snapshot
)
