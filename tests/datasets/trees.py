"""Small data sets in the published on-disk formats, made of random events."""

import struct

import numpy as np
from PIL import Image

CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def random_rows(count, height, width, seed):
    rng = np.random.default_rng(seed)
    t = np.sort(rng.integers(0, 300_000, count))
    return np.stack(
        [rng.integers(width, size=count), rng.integers(height, size=count), rng.integers(2, size=count), t], 1
    )


def write_saccades(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        b"".join(bytes([x, y]) + ((p << 23) | t).to_bytes(3, "big") for x, y, p, t in rows.tolist())
    )


def write_aedat2(path, rows):
    """In spikingjelly's orientation."""
    path.parent.mkdir(parents=True, exist_ok=True)
    words = [(((127 - x) << 8) | ((127 - y) << 1) | (1 - p), t) for x, y, p, t in rows.tolist()]
    header = b"#!AER-DAT2.0\r\n# This is a raw AE data file - do not edit\r\n"
    path.write_bytes(header + b"".join(struct.pack(">II", *word) for word in words))


def write_aedat3(path, rows, own=True, per_packet=100, special=0):
    """AEDAT-3.1: packets of polarity events, with that version's own addresses or those of jAER's DVS128."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = b"#!AER-DAT3.1\r\n#Format: RAW\r\n#!END-HEADER\r\n"
    if special:
        content += struct.pack("<HHIIIIII", 0, 1, 8, 4, 0, special, special, special) + bytes(8 * special)
    for start in range(0, len(rows), per_packet):
        part = rows[start : start + per_packet].tolist()
        content += struct.pack("<HHIIIIII", 1, 1, 8, 4, 0, len(part), len(part), len(part))
        for x, y, p, t in part:
            theirs = ((127 - y) << 8) | ((127 - x) << 1) | (1 - p)
            content += struct.pack("<II", (x << 17) | (y << 2) | (p << 1) | 1 if own else theirs, t)
    path.write_bytes(content)


def write_sl_animals(folder, persons, events=40, write=write_aedat3, classes=19):
    """A recording of each person, whose signs are `events` events each with one between them, and its tags."""
    for number, person in enumerate(persons):
        rows = random_rows(classes * (events + 1), 128, 128, number)
        write(folder / "recordings" / f"{person}.aedat", rows)
        tags = folder / "tags" / f"{person}.csv"
        tags.parent.mkdir(parents=True, exist_ok=True)
        lines = [f"{k + 1},{k * (events + 1)},{k * (events + 1) + events}" for k in range(classes)]
        tags.write_text("\n".join(["class,startTime_ev,endTime_ev", *lines]) + "\n")
    return folder / "recordings" / f"{persons[-1]}.aedat"


def write_npz(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    x, y, p, t = rows.T
    np.savez(path, x=x, y=y, p=p, t=t)


def write_xypt(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    table = rows.copy()
    table[:, 3] //= 1000
    np.save(path, table)


def write_pairs(path, pairs):
    """GLUE's table of question pairs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ["id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate"]
    lines += [
        f"{i}\t{2 * i}\t{2 * i + 1}\t{one}\t{two}\t{label}" for i, (one, two, label) in enumerate(pairs)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def counted(rows, height, width):
    """All events of a recording in one picture [2, H, W]."""
    found = np.zeros((2, height, width), int)
    np.add.at(found, (rows[:, 2], rows[:, 1], rows[:, 0]), 1)
    return found


def write_tiny_imagenet(folder, names, train=2, val=1, side=8):
    """As published: pictures below `images`, and a file with the classes of `val`; returns one of the pictures."""
    rng = np.random.default_rng(0)

    def picture(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (side, side, 3), dtype=np.uint8)).save(path)
        return path

    lines = []
    for i, name in enumerate(names):
        for k in range(train):
            last = picture(folder / "train" / name / "images" / f"{name}_{k}.JPEG")
        (folder / "train" / name / f"{name}_boxes.txt").write_text(f"{name}_0.JPEG\t0\t0\t7\t7\n")
        for k in range(val):
            file = picture(folder / "val" / "images" / f"val_{k * len(names) + i}.JPEG")
            lines.append(f"{file.name}\t{name}\t0\t0\t7\t7\n")
    picture(folder / "test" / "images" / "test_0.JPEG")
    (folder / "val" / "val_annotations.txt").write_text("".join(lines))
    return last
