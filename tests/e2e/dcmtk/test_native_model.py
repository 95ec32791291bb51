"""Our XML beside that of DCMTK's dcm2xml, for every one of pydicom's test files both can read."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
from tests.e2e.dicomweb.clinic import Sample, samples

from serment.core.dicom.json import metadata
from serment.core.dicom.xml import NAMESPACE, native_model

pytestmark = pytest.mark.real("dcmtk")

Tool = Callable[[str], str]

NUMBERS_AND_BYTES = {"DS", "FL", "FD", "OB", "OW", "UN"}  # each writes them in its own way
ADDED = {"00080005", "00083002"}  # UTF-8, and the transfer syntax, which is not in the data set


def attributes(parent: Element) -> dict[str, Element]:
    """Standard elements in front of the pixels, by tag."""
    found = {element.attrib["tag"].upper(): element for element in parent}
    return {
        tag: element
        for tag, element in found.items()
        if not int(tag[:4], 16) & 1 and not tag.endswith("0000") and "0008" <= tag < "7FE0"
    }


def private(root: Element) -> set[tuple[str, str]]:
    """Tag and creator of private elements, where both are known."""
    named = ((e.attrib["tag"].upper(), e.attrib.get("privateCreator", "")) for e in root)
    return {(tag, creator) for tag, creator in named if creator}


def content(element: Element) -> list[tuple[str, str]]:
    """Numbered values as text, name parts included, without what is empty."""
    found = [
        (child.attrib.get("number", ""), "^".join(filter(None, map(str.strip, child.itertext()))))
        for child in element
    ]
    return [(number, text) for number, text in found if text]


def differing(ours: Element, theirs: Element, path: str = "") -> Iterator[str]:
    one, other = attributes(ours), attributes(theirs)
    for tag in sorted({*one, *other} - ADDED):
        if tag not in one or tag not in other:
            yield f"{path}/{tag}: {'not theirs' if tag in one else 'not ours'}"
            continue
        mine, dcmtks = one[tag], other[tag]
        vr = mine.attrib["vr"]
        if dcmtks.attrib["vr"] == "UN":
            continue  # more than DCMTK's dictionary knows
        if vr != dcmtks.attrib["vr"]:
            yield f"{path}/{tag}: {vr} is not {dcmtks.attrib['vr']}"
        if mine.attrib.get("keyword") != dcmtks.attrib.get("keyword", mine.attrib.get("keyword")):
            yield f"{path}/{tag}: another keyword"
        if vr == "SQ":
            for number, pair in enumerate(zip(mine, dcmtks, strict=True)):
                yield from differing(*pair, f"{path}/{tag}/{number}")
        elif vr not in NUMBERS_AND_BYTES and content(mine) != content(dcmtks):
            yield f"{path}/{tag}: {content(mine)} is not {content(dcmtks)}"


def without_namespace(root: Element) -> Element:
    for element in root.iter():
        element.tag = element.tag.removeprefix(f"{{{NAMESPACE}}}")
    return root


def by_dcmtk(tool: Tool, sample: Sample) -> Element | None:
    command = [tool("dcm2xml"), "--native-format", str(sample.path)]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    return without_namespace(ElementTree.fromstring(done.stdout)) if not done.returncode else None


def test_both_say_the_same(tool: Tool) -> None:
    compared, differences = 0, []
    for sample in samples():
        theirs = by_dcmtk(tool, sample)
        if theirs is None:
            continue
        found = native_model(metadata(sample.data, "https://h/bulkdata"))
        ours = without_namespace(ElementTree.fromstring(found))
        compared += 1
        differences += [f"{sample}: {what}" for what in differing(ours, theirs)]
        if "UN" not in {e.attrib["vr"] for e in theirs}:
            differences += [f"{sample}: private {p}" for p in private(theirs) ^ private(ours)]
    assert differences == []
    assert compared > 100
