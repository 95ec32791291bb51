"""Gives the command line the real vault and machine (`entrypoints.cli.world.World`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serment.bootstrap.folder import open_folder
from serment.core.masked import Masked
from serment.entrypoints.cli.output import Output
from serment.entrypoints.cli.world import Auditing, ImportOrder
from serment.entrypoints.desk.request import Request
from serment.errors import N_, SermentError, Unavailable, UsageError

if TYPE_CHECKING:
    from serment.core.exposure.posture.registry import Answer
    from serment.entrypoints.desk.desk import Desk
    from serment.ports import ProgressFactory, Typesetter
    from serment.ports.peer import Helping, Peers

SHARE_LIMIT = 64 * 1024  # bytes of a share's file
SHARE_WORDS = re.compile(r"(?:[0-9.]*\s*[a-z]+\s*){33}")  # one paragraph of the kit's text


class RealWorld:
    """Everything is imported when it is needed: `serment --help` must be quick."""

    def ask(self, vault: Path, request: Request) -> Any:
        from serment.entrypoints.desk.table import NEEDS_SERVER, answer
        from serment.entrypoints.local.client import ask, is_running

        folder = open_folder(vault)
        if is_running(folder.local_socket):
            return ask(folder.local_socket, request)
        if request.command in NEEDS_SERVER:
            raise Unavailable(
                N_("no server runs for this vault: the practice is locked"),
                hint=N_("start it with `serment serve`"),
            )
        return _alone(vault, lambda desk: answer(desk, request))

    def init(
        self,
        folder: Path,
        practice: str,
        login: str,
        password: Masked[str],
        kit: Path,
        language: str,
        names: Sequence[str],
    ) -> dict[str, Any]:
        from serment.bootstrap.init import make_vault

        made = make_vault(folder, practice, login, password, kit, language, tuple(names))
        return made.answer()

    def serve(
        self, vault: Path, dicom: str, web: str, on_ready: Callable[[dict[str, Any]], None]
    ) -> int:
        from serment.bootstrap.serve import Addresses, parse_address, serve

        return serve(vault, Addresses(parse_address(dicom), parse_address(web)), on_ready)

    def bring(self, vault: Path, order: ImportOrder, progress: ProgressFactory) -> dict[str, Any]:
        from serment.bootstrap.importing import bring

        return bring(vault, order, progress, self)

    def recover(
        self,
        vault: Path,
        shares: Sequence[Path],
        target: Path,
        sealed: bool,
        progress: ProgressFactory,
    ) -> dict[str, Any]:
        from serment.adapters.files.export import ExportFolder
        from serment.app.keep.recover import recover
        from serment.app.protect.kit import open_with
        from serment.bootstrap.house import alone

        words = [read_share(path) for path in shares]
        with alone(vault) as (_, house):
            ring = open_with(house, words)
            write = ExportFolder(target)
            with progress(N_("Recovering")) as bar:
                return recover(house, ring, write, bar, sealed=sealed).answer()

    def rescue(
        self, vault: Path, login: str, shares: Sequence[Path], password: Masked[str]
    ) -> dict[str, Any]:
        from serment.app.protect.kit import open_with
        from serment.app.protect.members import rescue
        from serment.bootstrap.house import alone

        words = [read_share(path) for path in shares]
        with alone(vault) as (_, house):
            member = rescue(house, open_with(house, words), login, password)
        return {"login": member.login, "state": member.state.value}

    def certify(
        self, vault: Path, names: Sequence[str], addresses: Sequence[str], request: Request
    ) -> dict[str, Any]:
        from serment.adapters.system import write_private
        from serment.app.protect.certificate import renew

        folder = open_folder(vault)
        with alone_desk(vault) as desk, desk.session(request) as session:
            made, key = renew(desk.house, session.member, session.ring, names, addresses)
            write_private(folder.certificate_key, key)
            write_private(folder.certificate, made)
        return {"certificate": str(folder.certificate), "names": [*names, *addresses]}

    def doctor(
        self, vault: Path, thorough: bool, mend: bool, forget: bool, progress: ProgressFactory
    ) -> dict[str, Any]:
        from serment.bootstrap.doctor import examine_vault

        return examine_vault(vault, thorough, mend, progress, forget=forget)

    def auditing(self) -> Auditing:
        from serment.adapters.system import SystemClock
        from serment.bootstrap.network import known_flaws, network

        return Auditing(network(), SystemClock(), known_flaws())

    def peers(self, vault: Path | None) -> Peers:
        from serment.bootstrap.peer import peers

        return peers(vault)

    def helping(self, vault: Path | None, told: Callable[[str, str], None]) -> Helping:
        from serment.bootstrap.peer import helping

        return helping(vault, told)

    def typesetter(self) -> Typesetter:
        from serment.adapters.documents.typesetting import Typst

        return Typst()

    def examine_host(self, record: Path | None) -> tuple[Answer, ...]:
        from serment.bootstrap.posture import examine_this_host

        return examine_this_host(record)

    def demo(self, options: dict[str, Any], output: Output, progress: ProgressFactory) -> int:
        from serment.bootstrap.demo import demo

        return demo(options, output, progress, self)

    def child(self, name: str, arguments: Sequence[str]) -> int:
        from serment.bootstrap.children import report_failure

        try:
            return _be(name, arguments)
        except SermentError as error:
            return report_failure(error)


def _be(name: str, arguments: Sequence[str]) -> int:
    from serment.bootstrap.serve import parse_address

    root = Path(arguments[0])
    if name == "receiver":
        from serment.bootstrap.receiver import run as receiver

        dicom = parse_address(arguments[1]) if len(arguments) > 1 else None
        return receiver(root, dicom, int(arguments[2]) if len(arguments) > 2 else None)
    if name == "web":
        from serment.bootstrap.web import run as web

        return web(root, parse_address(arguments[1]), arguments[2] if len(arguments) > 2 else "")
    if name == "worker":
        from serment.bootstrap.worker import run as worker

        return worker(root)
    raise UsageError(N_("there is no process {name}"), name=name)


def _alone(vault: Path, work: Callable[[Desk], Any]) -> Any:
    """Run one request on the vault opened alone; what streams keeps it open until it ends."""
    opened = alone_desk(vault)
    desk = opened.__enter__()
    try:
        result = work(desk)
    except BaseException as error:
        opened.__exit__(type(error), error, error.__traceback__)
        raise
    if not isinstance(result, Iterator):
        opened.__exit__(None, None, None)
        return result

    def stream() -> Iterator[bytes]:
        try:
            yield from result
        finally:
            opened.__exit__(None, None, None)

    return stream()


@contextmanager
def alone_desk(vault: Path) -> Iterator[Desk]:
    """A desk on the vault with no server running."""
    from serment.bootstrap.house import alone, make_desk

    with alone(vault) as (folder, house):
        desk = make_desk(folder, house)
        try:
            yield desk
        finally:
            desk.refused.flush(house, final=True)
            desk.practice.tidy()


def read_share(path: Path) -> str:
    """The words of a share, from the text file of the kit or a file with the words alone."""
    try:
        with path.open(encoding="utf-8") as stream:
            text = stream.read(SHARE_LIMIT)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            N_("the share {path} cannot be read"),
            hint=N_("name the text file of a share, or type its words into one"),
            path=str(path),
        ) from error
    paragraphs = [part for part in text.split("\n\n") if SHARE_WORDS.fullmatch(part.strip())]
    return paragraphs[0] if paragraphs else text
