"""The Native DICOM Model: the same as the JSON it is made from, and always well-formed."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from serment.core.dicom.xml import NAMESPACE, native_model

N = f"{{{NAMESPACE}}}"


def parsed(**attributes: Any) -> dict[str, ElementTree.Element]:
    """`_00100010={...}`: elements by tag."""
    root = ElementTree.fromstring(native_model({k[1:]: v for k, v in attributes.items()}))
    assert root.tag == f"{N}NativeDicomModel"
    return {element.attrib["tag"]: element for element in root}


def test_values_are_numbered_and_empty_ones_keep_their_number() -> None:
    found = parsed(_00080008={"vr": "CS", "Value": ["ORIGINAL", None, "AXIAL"]})["00080008"]
    assert found.attrib == {"tag": "00080008", "vr": "CS", "keyword": "ImageType"}
    assert [(v.attrib["number"], v.text) for v in found] == [("1", "ORIGINAL"), ("3", "AXIAL")]


def test_names_have_their_components() -> None:
    name = {"Alphabetic": "Lefèvre^Anne^^Mme", "Ideographic": "山田^太郎"}
    found = parsed(_00100010={"vr": "PN", "Value": [name, {}]})["00100010"]
    assert [p.attrib["number"] for p in found] == ["1", "2"]
    alphabetic, ideographic = found[0]
    assert [(c.tag, c.text) for c in alphabetic] == [
        (f"{N}FamilyName", "Lefèvre"),
        (f"{N}GivenName", "Anne"),
        (f"{N}NamePrefix", "Mme"),
    ]
    assert ideographic.tag == f"{N}Ideographic"
    assert ideographic[1].text == "太郎"


def test_items_nest() -> None:
    inner = {"00081155": {"vr": "UI", "Value": ["1.2.3"]}}
    found = parsed(_00081199={"vr": "SQ", "Value": [inner, {}]})["00081199"]
    assert [item.attrib["number"] for item in found] == ["1", "2"]
    assert found[0][0][0].text == "1.2.3"
    assert len(found[1]) == 0


def test_bulk_data_and_bytes() -> None:
    found = parsed(
        _7FE00010={"vr": "OW", "BulkDataURI": "https://h/a?b&c"},
        _00420011={"vr": "OB", "InlineBinary": "AAE="},
    )
    assert found["7FE00010"][0].attrib == {"uri": "https://h/a?b&c"}
    assert found["00420011"][0].text == "AAE="


def test_private_elements_name_their_creator() -> None:
    found = parsed(
        _00110010={"vr": "LO", "Value": ['ACME "1" & co']},
        _00111001={"vr": "LO", "Value": ["x"]},
        _00131001={"vr": "LO", "Value": ["y"]},
    )
    assert found["00110001"].attrib == {
        "tag": "00110001",
        "vr": "LO",
        "privateCreator": 'ACME "1" & co',
    }
    assert found["00131001"].attrib == {"tag": "00131001", "vr": "LO"}
    assert "privateCreator" not in found["00110010"].attrib


def test_what_xml_cannot_hold_is_left_out() -> None:
    odd = "a\x00\x01\x0b\ud800\uffff<&>]]>\té\r\nb\r"
    found = parsed(
        _00104000={"vr": "LT", "Value": [odd]},
        _00100010={"vr": "PN", "Value": [{"Alphabetic": odd}]},
        _00110010={"vr": "LO", "Value": [odd]},
        _00111001={"vr": "LO", "Value": [1.5]},
    )
    assert found["00104000"][0].text == "a<&>]]>\té\r\nb\r"
    assert found["00110001"][0].text == "1.5"
