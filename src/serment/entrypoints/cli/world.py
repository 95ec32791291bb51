"""What the command line needs of the rest: given to it by bootstrap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from serment.core.masked import Masked
from serment.entrypoints.cli.output import Output
from serment.entrypoints.desk.request import Request
from serment.ports import Clock, ProgressFactory, Typesetter

if TYPE_CHECKING:
    from serment.core.exposure.posture.registry import Answer

if TYPE_CHECKING:
    from serment.core.exposure.products import Flaw
    from serment.ports.network import Network
    from serment.ports.peer import Helping, Peers


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """What `serment import` was asked to bring."""

    paths: tuple[Path, ...]
    circle: str | None
    patient: str | None  # patient id, for PDF documents
    login: str | None  # with --as: duplicates are checked against the vault
    password: Masked[str] | None


@dataclass(frozen=True, slots=True)
class Auditing:
    """The network, a clock, and which versions are known to be vulnerable."""

    network: Network
    clock: Clock
    flaws: tuple[Flaw, ...]


class World(Protocol):
    """The vault and the machine, as commands reach them."""

    def ask(self, vault: Path, request: Request) -> Any:
        """Through the running server, else with the vault opened alone."""

    def init(
        self,
        folder: Path,
        practice: str,
        login: str,
        password: Masked[str],
        kit: Path,
        language: str,
        names: Sequence[str],
    ) -> dict[str, Any]: ...

    def serve(
        self, vault: Path, dicom: str, web: str, on_ready: Callable[[dict[str, Any]], None]
    ) -> int: ...

    def bring(
        self, vault: Path, order: ImportOrder, progress: ProgressFactory
    ) -> dict[str, Any]: ...

    def recover(
        self,
        vault: Path,
        shares: Sequence[Path],
        target: Path,
        sealed: bool,
        progress: ProgressFactory,
    ) -> dict[str, Any]: ...

    def rescue(
        self, vault: Path, login: str, shares: Sequence[Path], password: Masked[str]
    ) -> dict[str, Any]: ...

    def certify(
        self, vault: Path, names: Sequence[str], addresses: Sequence[str], request: Request
    ) -> dict[str, Any]:
        """A new certificate of the server, by the member who asks."""

    def doctor(
        self, vault: Path, thorough: bool, mend: bool, forget: bool, progress: ProgressFactory
    ) -> dict[str, Any]: ...

    def auditing(self) -> Auditing:
        """What an audit of the network needs."""

    def peers(self, vault: Path | None) -> Peers:
        """The helpers outside that this vault, or this user without one, is paired with."""

    def helping(self, vault: Path | None, told: Callable[[str, str], None]) -> Helping:
        """This machine as a helper; `told` hears what happens, and of which pairing."""

    def typesetter(self) -> Typesetter:
        """What writes documents on paper."""

    def examine_host(self, record: Path | None) -> tuple[Answer, ...]:
        """How this machine is kept; what it said also goes to the new file `record`."""

    def demo(self, options: dict[str, Any], output: Output, progress: ProgressFactory) -> int: ...


@dataclass(frozen=True, slots=True)
class Context:
    """One run of the command line."""

    world: World
    output: Output
    chosen_vault: str | None
    environment: dict[str, str]
    progress: ProgressFactory
