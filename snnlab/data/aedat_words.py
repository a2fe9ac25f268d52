"""The events of a DVS128 camera's AEDAT file, each a 32-bit address and a time, in the order in which they are counted.

Shapes: E events.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snnlab.data.frames import Events
from snnlab.errors import DataError

_LAST = 127
_SPECIAL = 1 << 15
_PACKET = np.dtype(
    [("kind", "<u2"), ("source", "<u2")]
    + [(name, "<u4") for name in ("size", "time", "overflow", "capacity", "number", "valid")]
)
_POLARITY = 1
_CUT_OFF = "download it again"


def read_words(path: Path) -> NDArray[np.int64]:
    """Addresses and times in microseconds [E, 2] of an AEDAT-2.0 or AEDAT-3.1 file, special events among them.

    Addresses are those of jAER's DVS128, of 15 bits: 0 polarity (0 is ON), 1 to 7 the column from the right, 8 to 14
    the row from the bottom; 15 marks entries that are not pixel events. Files of AEDAT-3.1 have either these or that
    version's own (0 valid, 1 polarity, 2 to 16 the row from the top, 17 to 31 the column), which are converted; of
    their packets those of polarity events are read. The times of an AEDAT-2 file start at 0.

    Raises:
        DataError: it is of another format, or truncated.
    """
    content = path.read_bytes()
    header, start = read_header(path, content)
    if header.startswith("#!AER-DAT2"):
        return words_of_version2(path, content, start)
    if header.startswith("#!AER-DAT3"):
        words = words_of_version3(path, content, start)
        if len(words) and words[:, 0].max() >> 16:
            words[:, 0] = _as_jaer(path, words[:, 0])
        return words
    raise DataError(
        f"{path} is not an AEDAT-2.0 or AEDAT-3.1 file", "is it of another data set, or not fully downloaded?"
    )


def read_header(path: Path, content: bytes) -> tuple[str, int]:
    """The lines of `#` at the start of a file, and where what follows them starts.

    Raises:
        DataError: the file ends in them.
    """
    start = 0
    while content[start : start + 1] == b"#":
        end = content.find(b"\n", start) + 1
        if end == 0:
            raise DataError(f"{path} ends in its header", _CUT_OFF)
        start, line = end, content[start:end]
        if line.startswith(b"#!END-HEADER"):
            break
    return content[:start].decode("latin-1"), start


def dvs128_events(words: NDArray[np.int64]) -> Events:
    """Upright events of what `read_words` gives [E, 2], without the entries that are not pixel events."""
    address, t = words[words[:, 0] & _SPECIAL == 0].T
    return Events.of(_LAST - ((address >> 1) & _LAST), _LAST - ((address >> 8) & _LAST), 1 - (address & 1), t)


def words_of_version2(path: Path, content: bytes, start: int) -> NDArray[np.int64]:
    """Addresses and times in microseconds [E, 2] of an AEDAT-2.0 file; times start at 0.

    Raises:
        DataError: it is truncated.
    """
    if (len(content) - start) % 8:
        raise DataError(f"{path} ends in the middle of an event", _CUT_OFF)
    words = np.frombuffer(content, ">u4", offset=start).reshape(-1, 2).astype(np.int64)
    # The camera's 32-bit clock may wrap; differences as signed integers stay correct.
    ticks = words[:, 1]
    words[:, 1] = np.cumsum(np.diff(ticks, prepend=ticks[:1]).astype(np.int32), dtype=np.int64)
    return words


def words_of_version3(path: Path, content: bytes, start: int) -> NDArray[np.int64]:
    """Addresses and times in microseconds [E, 2] of the polarity events of an AEDAT-3.1 file.

    Raises:
        DataError: it is truncated.
    """
    found = [np.empty((0, 2), np.int64)]
    while start < len(content):
        if len(content) - start < _PACKET.itemsize:
            raise DataError(f"{path} ends in the middle of a packet's header", _CUT_OFF)
        header = np.frombuffer(content, _PACKET, 1, start)[0]
        start += _PACKET.itemsize
        end = start + int(header["size"]) * int(header["capacity"])
        if end > len(content) or header["number"] > header["capacity"]:
            raise DataError(f"{path} ends in the middle of an event", _CUT_OFF)
        if header["kind"] == _POLARITY:
            if header["size"] != 8:
                raise DataError(f"{path} has polarity events of {header['size']} bytes, not 8", _CUT_OFF)
            words = (
                np.frombuffer(content, "<u4", 2 * int(header["number"]), start)
                .reshape(-1, 2)
                .astype(np.int64)
            )
            words[:, 1] += int(header["overflow"]) << 31
            found.append(words)
        start = end
    return np.concatenate(found)


def _as_jaer(path: Path, address: NDArray[np.int64]) -> NDArray[np.int64]:
    x, y = (address >> 17) & 0x7FFF, (address >> 2) & 0x7FFF
    if max(x.max(), y.max()) > _LAST:
        raise DataError(
            f"{path} has events at column {x.max()} and row {y.max()}, beyond the 128 x 128 pixels of a DVS128",
            "is it of another camera, or damaged?",
        )
    special = np.where(address & 1 == 1, 0, _SPECIAL)
    found: NDArray[np.int64] = special | ((_LAST - y) << 8) | ((_LAST - x) << 1) | (1 - ((address >> 1) & 1))
    return found
