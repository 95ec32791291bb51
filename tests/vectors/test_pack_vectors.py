"""Every pack vector gives exactly the records, the gaps and the error that stand beside it."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from serment.core.records.pack import Gap, ParsedRecord, parse_record, scan
from serment.errors import FormatError

FOLDER = Path(__file__).parent / "packs"
EXPECTED = json.loads((FOLDER / "expected.json").read_text())


def reader(data: bytes):
    return lambda offset, size: data[offset : offset + size]


def told(record: ParsedRecord) -> dict:
    return {
        "object_id": record.object_id,
        "envelope_id": record.envelope_id,
        "start": record.start,
        "age_offset": record.age_offset,
        "age_size": record.age_size,
        "sha256": record.sha256.hex(),
        "identity_header": record.identity_header.hex(),
        "clinical_header": record.clinical_header.hex(),
        "end": record.end,
    }


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_vector(name: str) -> None:
    data, facts = (FOLDER / f"{name}.pack").read_bytes(), EXPECTED[name]
    assert len(data) == facts["size"]
    found = list(scan(reader(data), len(data)))
    assert [told(r) for r in found if isinstance(r, ParsedRecord)] == facts["records"]
    assert [[g.start, g.end] for g in found if isinstance(g, Gap)] == facts["gaps"]
    if "error" in facts:
        with pytest.raises(FormatError) as failure:
            parse_record(reader(data), 0, len(data))
        assert str(failure.value) == facts["error"]
    elif data:
        assert told(parse_record(reader(data), 0, len(data))) == facts["records"][0]


def test_the_script_makes_the_vectors_that_are_kept() -> None:
    spec = importlib.util.spec_from_file_location("make_packs", FOLDER / "make.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    made = script.vectors()
    assert sorted(made) == sorted(EXPECTED)
    assert {f"{name}.pack" for name in made} == {path.name for path in FOLDER.glob("*.pack")}
    for name, (data, facts) in made.items():
        assert data == (FOLDER / f"{name}.pack").read_bytes()
        assert {"size": len(data), **facts} == EXPECTED[name]


def test_a_large_record_after_another_is_refused() -> None:
    data = (FOLDER / "large-not-alone.pack").read_bytes()
    with pytest.raises(FormatError, match="not alone"):
        parse_record(reader(data), 502, len(data))
