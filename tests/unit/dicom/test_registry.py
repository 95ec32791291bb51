"""The registries read without pydicom say what pydicom says, and nothing that starts loads it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydicom import charset, datadict
from pydicom.uid import UID_dictionary

from serment.core.dicom import registry, text

TAGS = [*registry.ELEMENTS, 0x60020010, 0x5000_0005, 0x00203101, 0x10000020, 0x7F000010]
TAGS += [0x00090010, 0x00091001, 0x00100000, 0x00080003, 0x60010010]


def test_the_tables_are_those_of_pydicom() -> None:
    assert registry.UIDS.items() <= UID_dictionary.items()  # other packages add to it
    assert datadict.DicomDictionary == registry.ELEMENTS
    assert charset.python_encoding | {"": text._DEFAULT} == text.ENCODINGS


def test_every_keyword_and_those_of_repeating_groups() -> None:
    for tag in TAGS:
        assert registry.keyword_of(tag) == datadict.keyword_for_tag(tag), hex(tag)
        keyword = registry.keyword_of(tag)
        assert registry.tag_of(keyword) == datadict.tag_for_keyword(keyword)
    assert registry.tag_of("NoSuchKeyword") is None


SLOW = ("pydicom", "numpy", "requests", "rich.traceback")


@pytest.mark.parametrize("process", ["receiver", "worker", "serve", "web", "doctor"])
def test_no_process_loads_what_it_does_not_need_to_start(process: str) -> None:
    """A killed receiver must be back at once; nobody waits for a web server to import decoders."""
    says = (
        f"import sys, serment.bootstrap.{process}; print([n for n in {SLOW} if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", says], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
