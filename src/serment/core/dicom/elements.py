"""Steps from one data element to the next, sequences of undefined length included.

It decides where an element's value begins and ends (DICOM PS3.5 sections 7.1 and 7.5) within
bounds of depth and number; what the values mean is left to others.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from serment.core.dicom.syntax import (
    ITEM,
    ITEM_END,
    LONG,
    SEQUENCE_END,
    SHORT,
    UNDEFINED,
    Syntax,
    in_order,
    vr_of,
)
from serment.errors import N_, FormatError

MAX_DEPTH: Final = 32  # sequences inside one another
MAX_ELEMENTS: Final = 400_000  # read in one header

Element: TypeAlias = tuple[str, bytes]
Elements: TypeAlias = dict[int, Element]

PIXEL_GROUP: Final = 0x7FE0
NO_GROUP: Final = 0x10000
_DELIMITERS: Final = 0xFFFE  # the group of items and delimiters
_FRAGMENTED: Final = frozenset({"OB", "OW"})  # may be encapsulated (PS3.5 A.4)
_NESTED: Final = frozenset({"SQ", "UN"})
_SWAPPED: Final = frozenset({0xFEFF00E0, 0xFEFFDDE0})  # item, sequence end in the other byte order
_HINT: Final = N_("the file is damaged or is not DICOM; ask the sender to export it again")


class Overrun(Exception):
    """An element ends after the bytes at hand; `tag` is None when its own head is cut."""

    def __init__(
        self, position: int, tag: int | None = None, vr: str = "", start: int = 0, length: int = 0
    ) -> None:
        super().__init__(position)
        self.position, self.tag, self.vr = position, tag, vr
        self.start, self.length = start, length


class Budget:
    """How many elements may still be read: bounds the time a hostile header takes."""

    __slots__ = ("left",)

    def __init__(self, left: int = MAX_ELEMENTS) -> None:
        self.left = left

    def spend(self) -> None:
        """Take one element off; `FormatError` when there are none left."""
        self.left -= 1
        if self.left < 0:
            raise _too_many()


def damaged(reason: str, **values: object) -> FormatError:
    """Return the error for bytes that are not a data set."""
    return FormatError(reason, hint=_HINT, **values)


def _too_many() -> FormatError:
    return damaged(N_("the DICOM header has more than {limit} elements"), limit=MAX_ELEMENTS)


def read_elements(
    data: bytes,
    position: int,
    end: int,
    order: Syntax,
    elements: Elements,
    budget: Budget,
    until: int = NO_GROUP,
) -> int:
    """Read elements into `elements` up to `end`; return the position it stopped at.

    That is `end`, or the first element of group `until`, or inside an item its delimiter.

    Raises:
        Overrun: an element reaches beyond `end`.
        FormatError: the bytes are no data elements.
    """
    explicit, unpack, short = order.explicit, order.head.unpack_from, SHORT.get
    last, undefined, group_of_pixels = end - 8, UNDEFINED, PIXEL_GROUP  # locals: the hot loop
    left = budget.left
    while position <= last:
        start = position + 8
        if explicit:
            group, number, code, length = unpack(data, position)
            tag, vr = group << 16 | number, short(code)
            if vr is None:
                tag, vr, start, length = read_head(data, position, end, order)
        else:
            group, number, length = unpack(data, position)
            tag = group << 16 | number
            vr = vr_of(tag)
        if group >= group_of_pixels and _stops(tag, until):
            break
        stop = following = start + length
        if length == undefined:
            budget.left = left
            vr, stop, following = _skip_undefined(data, position, end, order, budget)
            left = budget.left
        elif stop > end:
            raise Overrun(position, tag, vr, start, length)
        elements[tag] = vr, data[start:stop]
        position = following
        left -= 1
        if left < 0:
            break
    budget.left = left
    if left < 0:
        raise _too_many()
    return position if position <= last else _padding(data, position, end)


def _padding(data: bytes, position: int, end: int) -> int:
    """Return `end` when the few bytes left, too few for an element, are all zero."""
    if any(data[position:end]):
        raise Overrun(position)
    return end


def _stops(tag: int, until: int) -> bool:
    if tag >> 16 == _DELIMITERS and (tag != ITEM_END or until != NO_GROUP):
        raise damaged(N_("a delimiter stands outside a sequence"))
    return tag >> 16 == until or tag == ITEM_END


def read_head(data: bytes, position: int, end: int, order: Syntax) -> tuple[int, str, int, int]:
    """Return tag, VR, start of the value and its length (delimiters: VR "").

    In explicit VR a VR that cannot be one means that this element alone is implicit, and one that
    is not known has a 16-bit length: both as pydicom reads them.
    """
    if end - position < 8:
        raise Overrun(position)
    group, number, length = order.item.unpack_from(data, position)
    tag = group << 16 | number
    if group == _DELIMITERS:
        return tag, "", position + 8, length
    if not order.explicit:
        return tag, vr_of(tag), position + 8, length
    code = data[position + 4 : position + 6]
    vr = SHORT.get(code)
    if vr is None and code in LONG:
        if end - position < 12:
            raise Overrun(position)
        return tag, LONG[code], position + 12, order.long.unpack_from(data, position + 8)[0]
    if vr is None and not _is_vr(code):
        return tag, vr_of(tag), position + 8, length
    length = order.head.unpack_from(data, position)[3]
    return tag, vr or code.decode("ascii"), position + 8, length


def starting_order(data: bytes, position: int, declared: Syntax) -> Syntax:
    """Return the layout the first element shows, which is not always the declared one.

    Two capital letters where explicit VR has its VR are taken for one: as an implicit length they
    would announce more than 16 kB for the first element, which no data set starts with.
    """
    code = data[position + 4 : position + 6]
    if len(code) < 2:
        return declared
    return in_order(_is_vr(code), declared.little)


def items(value: bytes, order: Syntax, budget: Budget) -> list[tuple[Syntax, Elements]]:
    """Return the items of a sequence value: the layout of each, and its elements.

    Raises:
        FormatError: the value is not a sequence of items.
    """
    order, position = _sequence_order(value, 0, order), 0
    found: list[tuple[Syntax, Elements]] = []
    try:
        while position < len(value):
            tag, _vr, start, length = read_head(value, position, len(value), order)
            if tag == SEQUENCE_END:
                break
            if tag != ITEM:
                raise _not_an_item(position)
            end = len(value) if length == UNDEFINED else start + length
            if end > len(value):
                raise Overrun(position)
            inside, elements = _item_order(value, start, order), Elements()
            stop = read_elements(value, start, end, inside, elements, budget)
            position = stop + 8 if length == UNDEFINED else end
            found.append((inside, elements))
    except Overrun:
        raise damaged(N_("a sequence ends in the middle of an item")) from None
    return found


def _is_vr(code: bytes) -> bool:
    return len(code) == 2 and 0x41 <= code[0] <= 0x5A and 0x41 <= code[1] <= 0x5A


def _not_an_item(position: int) -> FormatError:
    return damaged(
        N_("something else than an item stands at byte {position} of a sequence"), position=position
    )


def _sequence_order(data: bytes, position: int, order: Syntax) -> Syntax:
    """Return the layout of a sequence: UN ones are little endian anywhere (PS3.5 6.2.2)."""
    if order.little or len(data) - position < 8:
        return order
    group, number, _length = order.item.unpack_from(data, position)
    return in_order(False, True) if group << 16 | number in _SWAPPED else order


def _item_order(data: bytes, position: int, order: Syntax) -> Syntax:
    """Return the layout of an item: implicit VR may stand inside explicit VR (PS3.5 6.2.2)."""
    if not order.explicit or _is_vr(data[position + 4 : position + 6]):
        return order
    return in_order(False, order.little)


def _skip_undefined(
    data: bytes, position: int, end: int, order: Syntax, budget: Budget
) -> tuple[str, int, int]:
    """Return the VR of an element of undefined length, its value's end, and the next element.

    A VR of UN is a sequence (PS3.5 section 6.2.2). In implicit VR everything is that has items,
    whatever the dictionary says, but for the two VRs whose values may be fragments.
    """
    tag, vr, start, length = read_head(data, position, end, order)
    fragments = vr in _FRAGMENTED
    explicit = order.explicit and _is_vr(data[position + 4 : position + 6])
    if explicit and not (fragments or vr in _NESTED):
        raise damaged(N_("the element at byte {position} has no length"), position=position)
    inside = _sequence_order(data, start, order)
    try:
        stop, following = _skip_items(data, start, end, inside, budget, fragments)
    except Overrun:
        raise Overrun(position, tag, vr, start, length) from None
    if vr == "UN" if explicit else stop > start and not fragments:
        vr = "SQ"
    return vr, stop, following


def _skip_items(
    data: bytes, position: int, end: int, order: Syntax, budget: Budget, fragments: bool
) -> tuple[int, int]:
    """Step over the items of a sequence, or the fragments of an encapsulated value.

    Returns where the delimiter that ends it starts and ends. Nested sequences of undefined length
    are kept on a list of our own, so that no depth can exhaust the interpreter's stack.
    """
    open_ones = [(order, True)]  # layout, and whether it is a sequence; outermost first
    while True:
        inside, is_sequence = open_ones[-1]
        tag, _vr, start, length = read_head(data, position, end, inside)
        budget.spend()
        if tag == (SEQUENCE_END if is_sequence else ITEM_END):
            open_ones.pop()
            if not open_ones:
                return position, start
        elif is_sequence != (tag == ITEM) or tag in (SEQUENCE_END, ITEM_END):
            raise _not_an_item(position)
        elif length == UNDEFINED:
            if fragments:
                raise _not_an_item(position)
            open_ones.append(_order_inside(data, start, inside, is_sequence))
            if len(open_ones) > 2 * MAX_DEPTH:
                raise damaged(N_("sequences are nested more than {limit} deep"), limit=MAX_DEPTH)
        else:
            start += length
            if start > end:
                raise Overrun(position)
        position = start


def _order_inside(data: bytes, start: int, order: Syntax, is_item: bool) -> tuple[Syntax, bool]:
    if is_item:
        return _item_order(data, start, order), False
    return _sequence_order(data, start, order), True
