"""Whole things at once, for tests: the program itself only knows streams."""

from __future__ import annotations

from serment.core.crypto.age import AgeWriter
from serment.core.crypto.age.recipients import Recipient
from serment.ports import Receipt, Reception


def seal_bytes(data: bytes | bytearray | memoryview, recipient: Recipient) -> bytearray:
    """A whole age file that holds `data`."""
    writer = AgeWriter([recipient])
    return bytearray(writer.header() + writer.update(data) + writer.finish())


def keep(reception: Reception, data: bytes | bytearray | memoryview) -> Receipt:
    """One whole object into a reception, as an entry point brings it; nothing stays of one that is
    refused."""
    stream = reception.start()
    try:
        stream.write(data)
        return stream.finish()
    except BaseException:
        stream.abort()
        raise
