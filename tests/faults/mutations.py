"""Damage of files, as hypothesis draws it: flipped, lost, doubled and foreign bytes, and numbers that are too large."""

import re
import struct

from hypothesis import strategies as st

_WORDS = (b"\x00" * 4, b"\xff" * 4, struct.pack("<I", 2**31), struct.pack(">I", 2**31), b"\x01\x00\x00\x00")
_NUMBERS = (b"0", b"-1", b"7", b"99999999", b"400000000000", b"1e999", b"nan", b"9" * 5000, "\u00b2".encode())


def mutated(content):
    """A strategy for damaged copies of these bytes."""
    return st.lists(_operation(), min_size=1, max_size=4).map(
        lambda operations: _applied(content, operations)
    )


def _operation():
    kinds = ("flip", "set", "word", "cut", "insert", "remove", "double", "number", "number", "number")
    return st.tuples(
        st.sampled_from(kinds), st.floats(0, 1), st.integers(0, 2**16), st.sampled_from((False, True))
    )


def _applied(content, operations):
    for kind, place, value, in_head in operations:
        # Headers are short and matter most: half of all damage is done to the first 200 bytes.
        at = int(place * (min(len(content), 200) if in_head else len(content)))
        content = _damaged(content, kind, at, value)
    return content


def _damaged(content, kind, at, value):
    before, after = content[:at], content[at:]
    length = 1 + value % 64
    if kind == "flip":
        return before + bytes(b ^ (1 << value % 8) for b in after[:1]) + after[1:]
    if kind == "set":
        return before + bytes([value % 256]) + after[1:]
    if kind == "word":
        return before + _WORDS[value % len(_WORDS)] + after[4:]
    if kind == "cut":
        return before
    if kind == "insert":
        return before + value.to_bytes(3, "little") * (1 + value % 5) + after
    if kind == "remove":
        return before + after[length:]
    if kind == "double":
        return before + after[:length] + after
    number = re.search(rb"\d+", after)
    if number is None:
        return content
    return before + after[: number.start()] + _NUMBERS[value % len(_NUMBERS)] + after[number.end() :]
