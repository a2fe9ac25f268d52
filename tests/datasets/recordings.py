"""One small recording in every format that a folder of one's own may hold."""

import struct

import h5py
import numpy as np
import scipy.io

from tests.datasets import trees

WIDTH, HEIGHT = 32, 24
HEADER_RAW = "% Date 2024-01-01\n% geometry 32x24\n% {}\n% end\n"


def rows(seed=0, count=60):
    """x, y, p, t in microseconds, sorted by time, the first at 0."""
    table = trees.random_rows(count, HEIGHT, WIDTH, seed)
    table[:, 3] -= table[0, 3]
    return table


def fields(table):
    names = [("t", "<u8"), ("x", "<u2"), ("y", "<u2"), ("p", "?")]
    return np.array([(t, x, y, p) for x, y, p, t in table.tolist()], names)


def write_h5(path, table):
    with h5py.File(path, "w") as file:
        group = file.create_group("CD/events")
        for name, column in zip("xypt", table.T, strict=True):
            group.create_dataset(name, data=column, compression="gzip")
        file["info"] = np.arange(5)


def write_mat(path, table):
    x, y, p, ts = table.T
    scipy.io.savemat(path, {"TD": {"x": x, "y": y, "p": 2 * p - 1, "ts": ts}}, do_compression=True)


def write_csv(path, table):
    lines = [f"{t / 1000},{x},{y},{p}" for x, y, p, t in table.tolist()]
    path.write_text("\n".join(["timestamp_ms,x,y,polarity", *lines, ""]))


def write_txt(path, table):
    lines = [f"{t / 1e6:.6f} {x} {y} {p}" for x, y, p, t in table.tolist()]
    path.write_text("\n".join([f"{WIDTH} {HEIGHT}", *lines, ""]))


def write_dat(path, table):
    events = b"".join(struct.pack("<II", t, x | (y << 14) | (p << 28)) for x, y, p, t in table.tolist())
    header = f"% Data file containing CD events.\n% Version 2\n% Height {HEIGHT}\n% Width {WIDTH}\n"
    path.write_bytes(header.encode() + b"\x0c\x08" + events)


def evt2_words(table):
    words, high = [], None
    for x, y, p, t in table.tolist():
        if t >> 6 != high:
            high = t >> 6
            words.append((8 << 28) | high)
        words.append((p << 28) | ((t & 63) << 22) | (x << 11) | y)
    return words


def evt3_words(table):
    words = []
    for x, y, p, t in table.tolist():
        words += [(8 << 12) | ((t >> 12) & 0xFFF), (6 << 12) | (t & 0xFFF), y, (2 << 12) | (p << 11) | x]
    return words


def write_evt2(path, table):
    body = np.array(evt2_words(table), "<u4").tobytes()
    path.write_bytes(HEADER_RAW.format("evt 2.0").encode() + body)


def write_evt3(path, table):
    body = np.array(evt3_words(table), "<u2").tobytes()
    path.write_bytes(HEADER_RAW.format("format EVT3;height=24;width=32").encode() + body)


def write_davis(path, table):
    words = [(((179 - y) << 22) | ((239 - x) << 12) | (p << 11), t) for x, y, p, t in table.tolist()]
    content = b"".join(
        struct.pack(">II", *word) for word in [*words[:5], (0x80000000, words[5][1]), *words[5:]]
    )
    path.write_bytes(b"#!AER-DAT2.0\r\n# AEChip: eu.seebetter.ini.chips.davis.DAVIS240C\r\n" + content)


def write_aedat3(path, table):
    words = [((x << 17) | (y << 2) | (p << 1) | 1, t) for x, y, p, t in table.tolist()]
    special = struct.pack("<hhiiiiii", 0, 1, 8, 4, 0, 1, 1, 1) + bytes(8)
    head = struct.pack("<hhiiiiii", 1, 1, 8, 4, 0, len(words), len(words), len(words))
    body = special + head + b"".join(struct.pack("<II", *word) for word in words)
    path.write_bytes(b"#!AER-DAT3.1\r\n#Format: RAW\r\n#!END-HEADER\r\n" + body)


WRITERS = {
    "table.npy": lambda path, table: np.save(path, table[:, [3, 0, 1, 2]]),
    "fields.npy": lambda path, table: np.save(path, fields(table)),
    "columns.npz": trees.write_npz,
    "table.npz": lambda path, table: np.savez(path, events=table[:, [3, 0, 1, 2]].T),
    "groups.h5": write_h5,
    "struct.mat": write_mat,
    "names.csv": write_csv,
    "rpg.txt": write_txt,
    "dvs128.aedat": lambda path, table: trees.write_aedat2(path, table[:, [1, 0, 2, 3]]),
    "davis240.aedat": write_davis,
    "version3.aedat": write_aedat3,
    "cd.dat": write_dat,
    "evt2.raw": write_evt2,
    "evt3.raw": write_evt3,
    "saccades.bin": trees.write_saccades,
}
TABLES = {"table.npy": "txyp", "table.npz": "txyp", "rpg.txt": "txyp"}
"""The order of the columns, where the file does not say."""
UNITS = {"rpg.txt": "s"}
SENSORS = {
    "rpg.txt": (24, 32),
    "dvs128.aedat": (128, 128),
    "davis240.aedat": (180, 240),
    "cd.dat": (24, 32),
    "evt2.raw": (24, 32),
    "evt3.raw": (24, 32),
}
"""The sensor, where the file says it."""
