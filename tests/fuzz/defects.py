"""Defects that the fuzz targets must find: one rule of a reader broken, in its source.

Each names the text of the right code, which must stand there exactly once (otherwise the table is
out of step with the code, and says so), and what is put in its place.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType


@dataclass(frozen=True)
class Defect:
    """One rule of `module` broken; `target` must notice."""

    name: str
    target: str
    module: str
    right: str
    wrong: str


AGE, DICOM, DIMSE = "core.crypto.age.", "core.dicom.", "entrypoints.dimse."
PEER = "core.exposure.peer."
DEFECTS = [
    Defect(*row)
    for row in (
        # age
        ("no final flag", "age", AGE + "stream", 'b"\\x01" if last else b"\\x00"', 'b"\\x00"'),
        ("a chunk in any place", "age", AGE + "stream", "index.to_bytes(11", "min(index, 0).to_bytes(11"),
        ("a chunk more than there is", "age", AGE + "stream", "or chunk_count(plain) != chunks", ""),
        ("the end is not looked at", "age", AGE + "reader", "self._last = self._open_last()\n\n", "self._last = bytes(self.plain_size % stream.CHUNK)\n\n"),
        ("the MAC is not looked at", "age", AGE + "reader", "head.check(file_key)", "pass"),
        ("no nonce needed", "age", AGE + "reader", "if size < head.size + stream.NONCE_BYTES:", "if False:"),
        ("a byte off at the start of a part", "age", AGE + "reader", "plain[max(0, start - base) : stop - base]", "plain[max(0, start - base - 1) : stop - base]"),
        ("reading stops a chunk early", "age", AGE + "reader", "end = (stop - 1) // stream.CHUNK + 1", "end = stop // stream.CHUNK"),
        ("base64 in any form", "age", AGE + "header", "if encode_base64(raw) != text:", "if False:"),
        ("base64 that is none", "age", AGE + "header", "except ValueError as error:", "except KeyError as error:"),
        ("a body line of any length", "age", AGE + "header", "or any(len(b) > _COLUMNS for b in body)", ""),
        ("a stanza without arguments", "age", AGE + "header", "or not arguments or", "or"),
        ("a MAC of any length", "age", AGE + "header", 'if mac_line[:4] != b"--- " or len(mac) != _MAC_BYTES:', "if False:"),
        ("a share of any length", "age", AGE + "x25519", "if len(share) != _SHARE_BYTES or len(stanza.body) != _BODY_BYTES:", "if False:"),
        ("the first stanza only", "age", AGE + "x25519", "except InvalidTag:\n                continue", "except InvalidTag:\n                return None"),
        ("a header without bound", "age", AGE + "header", "head = bytes(read(0, min(size, MAX_HEADER)))", "head = bytes(read(0, size))"),
        # data units and commands
        ("a short request", "pdu", DICOM + "pdu", "if len(data) < _FIXED.size:", "if False:"),
        ("an item longer than what holds it", "pdu", DICOM + "pdu", "if length > len(data) - position:", "if length > len(data):"),
        ("a request without contexts", "pdu", DICOM + "pdu", "if not ids or len(set(ids)) != len(ids):", "if False:"),
        ("an even context id", "pdu", DICOM + "pdu", "if len(value) < 4 or not value[0] & 1:", "if len(value) < 4:"),
        ("a longest unit without room", "pdu", DICOM + "pdu", "if 0 < length <= FRAGMENT.size:", "if 0 < length < FRAGMENT.size:"),
        ("a role of another length", "pdu", DICOM + "pdu", "if len(item) != length + 4:", "if len(item) < length + 4:"),
        ("another exception", "pdu", DICOM + "pdu", 'raise _malformed(N_("the association request has an item that is cut short"))', "raise IndexError"),
        ("an answer longer than the peer takes", "pdu", DICOM + "pdu", "room = max_length - FRAGMENT.size if max_length", "room = max_length if max_length"),
        ("an element longer than the command", "pdu", DICOM + "dimse", "length > len(raw) - position", "length > len(raw)"),
        ("a number of four bytes", "pdu", DICOM + "dimse", "if len(value) != _US.size:", "if len(value) < _US.size:"),
        ("a command without end", "pdu", DICOM + "dimse", "or len(found) >= _MAX_ELEMENTS", ""),
        ("a request of any length", "association", DIMSE + "association", "if length > self._limits.request_bytes:", "if False:"),
        ("a unit longer than agreed", "association", DIMSE + "association", "if length > self._limits.unit_bytes + _TOLERANCE:", "if False:"),
        ("a fragment longer than its unit", "association", DIMSE + "association", "if not 2 <= size <= left - 4:", "if size < 2:"),
        ("a reception left open", "association", DIMSE + "association", "messages.close(interrupted)", "pass"),
        ("a success before it is durable", "association", DIMSE + "messages", "self._reception.sync()\n", "pass\n"),
        ("a context nobody agreed on", "association", DIMSE + "messages", "if context not in self._contexts or", "if"),
        # a helper outside
        ("another protocol", "peer", PEER + "frames", "if magic != _MAGIC or number not in wanted:", "if number not in wanted:"),
        ("a message of any length", "peer", PEER + "frames", "if not least <= length <= most:", "if False:"),
        ("an order by anybody", "peer", PEER + "visit", '_verify(bond, _signed("ask", bond, to, sealed), signature)\n    if', "if"),
        ("any number of ports", "peer", PEER + "visit", "if not 0 < len(ports) <= MOST_PORTS or", "if not ports or"),
        ("a port twice", "peer", PEER + "visit", "or len(set(ports)) != len(ports) or", "or"),
        ("port zero", "peer", PEER + "visit", " or 0 in ports:", ":"),
        ("a purpose that is none", "peer", PEER + "visit", "if plain[0] not in tuple(Purpose) or (", "if ("),
        ("a proof of several ports", "peer", PEER + "visit", "(plain[0] == Purpose.PROVE and len(ports) != 1)", "False"),
        ("an X-Wing key that is none", "peer", PEER + "pairing", "except SermentError as error:", "except KeyError as error:"),
        # the header walker
        ("a value one byte too long", "walker", DICOM + "elements", "elif stop > end:", "elif stop > end + 1:"),
        ("a value one byte short", "walker", DICOM + "elements", "elements[tag] = vr, data[start:stop]", "elements[tag] = vr, data[start : stop - 1]"),
        ("any depth", "walker", DICOM + "elements", "if len(open_ones) > 2 * MAX_DEPTH:", "if False:"),
        ("any number of elements", "walker", DICOM + "elements", "position = following\n        left -= 1", "position = following"),
        ("a head cut short", "walker", DICOM + "elements", "if end - position < 12:", "if end - position < 8:"),
        ("something else than an item", "walker", DICOM + "elements", "elif is_sequence != (tag == ITEM) or tag in (SEQUENCE_END, ITEM_END):", "elif False:"),
        ("rubbish at the end", "walker", DICOM + "elements", "if any(data[position:end]):", "if False:"),
        ("everything is little endian", "walker", DICOM + "elements", "return in_order(_is_vr(code), declared.little)", "return in_order(_is_vr(code), True)"),
        ("a bomb", "walker", DICOM + "walker", "if len(out) > RATIO_FROM and len(out) > MAX_RATIO * used:", "if False:"),
        ("a deflated header cut short", "walker", DICOM + "walker", "if ended and not (stream.eof or partial or found.has_pixels):", "if False:"),
        ("deflate that is none", "walker", DICOM + "walker", "except zlib.error:", "except KeyError:"),
        ("where it was cut", "walker", DICOM + "walker", "size = end if cut is None else cut.offset", "size = end"),
        # multipart bodies
        ("a boundary in two chunks", "multipart", DICOM + "multipart", "keep = max(position, len(data) - len(self._delimiter) + 1)\n        event", "keep = max(position, len(data) - len(self._delimiter) + 2)\n        event"),
        ("a first boundary in two chunks", "multipart", DICOM + "multipart", "- len(self._delimiter) + 1) if found < 0", "- len(self._delimiter) + 2) if found < 0"),
        ("a body without end", "multipart", DICOM + "multipart", "if self._state != self._epilogue and (self._state != self._closed or self._held):", "if False:"),
        ("a boundary that goes on", "multipart", DICOM + "multipart", 'if len(tail) == 2 or (tail and tail not in b"\\r-"):', "if False:"),
        ("a closing boundary that goes on", "multipart", DICOM + "multipart", 'if tail not in (b"", b"\\r"):', "if False:"),
        ("a line end after the closing boundary in two chunks", "multipart", DICOM + "multipart", 'if tail not in (b"", b"\\r"):', 'if tail != b"":'),
        ("headers without bound", "multipart", DICOM + "multipart", "if len(data) - position >= MAX_PART_HEADERS + 4:", "if False:"),
        ("a preamble without bound", "multipart", DICOM + "multipart", "if self._skipped > MAX_PREAMBLE:", "if False:"),
        ("an empty part", "multipart", DICOM + "multipart", "position if start == self._delimiter else position + 2", "position + 2"),
        ("a header that is none", "multipart", DICOM + "multipart", "if not colon or re.fullmatch(_TOKEN, name) is None:", "if False:"),
        ("a boundary of any bytes", "multipart", DICOM + "multipart", "if _BOUNDARY.fullmatch(boundary) is None:", "if not boundary:"),
        ("a type that is none", "multipart", DICOM + "multipart", 'if found is None:\n            raise FormatError(N_("the Content-Type cannot be understood"))', "if found is None:\n            raise KeyError"),
    )
]  # fmt: skip


class _Planted(SourceFileLoader):
    """A module with its defect; never from, nor into, compiled files."""

    def __init__(self, fullname: str, path: str, defect: Defect) -> None:
        super().__init__(fullname, path)
        self.defect = defect

    def get_code(self, fullname: str) -> CodeType:
        source = self.get_source(fullname)
        assert source.count(self.defect.right) == 1, f"{self.defect.right!r} is not there once"
        changed = source.replace(self.defect.right, self.defect.wrong)
        return compile(changed, self.path, "exec")


class _Finder(MetaPathFinder):
    def __init__(self, defect: Defect) -> None:
        self.defect = defect

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != f"serment.{self.defect.module}":
            return None
        spec = PathFinder.find_spec(fullname, path)
        assert spec is not None
        assert spec.origin is not None
        spec.loader = _Planted(fullname, spec.origin, self.defect)
        return spec


def plant(name: str) -> None:
    """Break one rule, before the module that has it is imported."""
    (defect,) = [defect for defect in DEFECTS if defect.name == name]
    assert f"serment.{defect.module}" not in sys.modules
    sys.meta_path.insert(0, _Finder(defect))
