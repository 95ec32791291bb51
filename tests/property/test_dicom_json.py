"""Our JSON model of pydicom's test files is pydicom's own, but for what the standard leaves open."""

from __future__ import annotations

import io
import json as plain_json
import warnings
from pathlib import Path
from typing import Any

import pydicom.data
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread

from serment.core.dicom import json, uids
from serment.core.dicom.part10 import build_meta
from serment.errors import FormatError

META = build_meta("1.2.840.10008.5.1.4.1.1.2", "1.2.3", uids.EXPLICIT_LITTLE)
SKIPPED = {
    "meta_missing_tsyntax.dcm",  # refused
    "rtplan_truncated.dcm",  # refused
    "DICOMDIR-nooffset",  # damaged: its records are given as bytes
    "badVR.dcm",  # pydicom cannot write its values as JSON
    "nested_priv_SQ.dcm",  # sequences that only pydicom's private dictionary knows
}
TEST_FILES = sorted(
    path
    for path in Path(pydicom.data.__file__).parent.rglob("*")
    if path.is_file() and path.name not in SKIPPED and path.read_bytes()[128:132] == b"DICM"
)


LEFT_OUT = {"300C0002"}  # by pydicom, in some files: a UID in it has a component 0123


def plain(model: dict[str, Any]) -> dict[str, Any]:
    """Both models without what may differ: group lengths, the character set, empty or padded
    strings, numbers that are whole, bulk data, and UN for a VR pydicom's dictionaries add."""
    found = {}
    for tag, attribute in model.items():
        if tag.endswith("0000") or tag in ("00080005", "00083002"):
            continue
        vr = str(attribute["vr"])
        if "InlineBinary" in attribute or "BulkDataURI" in attribute or vr == "UN":
            found[tag] = "bytes"
        else:
            values = [value(one) for one in attribute.get("Value", [])]
            found[tag] = vr, [] if values == [None] else values
    return found


def value(one: Any) -> Any:
    if isinstance(one, dict) and all(len(key) == 8 for key in one):
        return plain(one)
    if isinstance(one, str):
        return one.strip() or None
    return float(one) if isinstance(one, int | float) else one or None


def same(ours: Any, theirs: Any, path: str) -> None:
    if isinstance(ours, dict):
        assert set(theirs) <= set(ours), path
        assert set(ours) - set(theirs) <= LEFT_OUT, path
        for tag, one in ((tag, ours[tag]) for tag in theirs):
            if "bytes" not in (one, theirs[tag]):
                assert one[0] == theirs[tag][0], f"{path}/{tag}"
                assert len(one[1]) == len(theirs[tag][1]), f"{path}/{tag}"
                for mine, other in zip(one[1], theirs[tag][1], strict=True):
                    same(mine, other, f"{path}/{tag}")
    else:
        assert ours == theirs, path


@pytest.mark.parametrize("path", TEST_FILES, ids=lambda path: path.name)
def test_the_model_is_that_of_pydicom(path: Path) -> None:
    data = path.read_bytes()
    ours = json.metadata(data, "bulk")
    plain_json.dumps(ours, allow_nan=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = dcmread(io.BytesIO(data), stop_before_pixels=True)
        theirs = dataset.to_json_dict(suppress_invalid_tags=True)
    for tag in [tag for tag in ours if tag.startswith("7FE0")]:
        assert ours.pop(tag)["BulkDataURI"] == f"bulk/{tag}"
    theirs = {tag: one for tag, one in theirs.items() if not tag.startswith("7FE0")}
    same(plain(ours), plain(theirs), path.name)


LONG = {"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"}
SHORT = {"AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO", "LT", "PN", "SH"} | {
    *("SL", "SS", "ST", "TM", "UI", "UL", "US", "ZZ")
}
vrs = st.sampled_from(sorted(LONG | SHORT))


@given(st.lists(st.tuples(st.integers(0x00080001, 0x7FDF0000), vrs, st.binary(max_size=40))))
def test_any_values_give_a_model_that_json_can_write(parts: list[tuple[int, str, bytes]]) -> None:
    data = META
    for tag, vr, content in parts:
        head = (tag >> 16).to_bytes(2, "little") + (tag & 0xFFFF).to_bytes(2, "little")
        size = len(content).to_bytes(2, "little")
        data += head + vr.encode()
        data += b"\0\0" + size + b"\0\0" if vr in LONG else size
        data += content
    try:
        found = json.metadata(data, "bulk")
    except FormatError:
        return
    text = plain_json.dumps(found, allow_nan=False, ensure_ascii=False).encode("utf-8")
    assert plain_json.loads(text) == found
