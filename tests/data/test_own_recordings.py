"""Recordings of one's own in every format, and numbers that make no sense in them."""

import numpy as np
import pytest

from snnlab.data import prophesee
from snnlab.data.assumptions import assumptions
from snnlab.data.own_recordings import ENDINGS, read_own, read_raw
from snnlab.data.raw_events import Meaning, RawEvents
from snnlab.errors import DataError
from snnlab.packages import MissingPackageError
from tests.datasets import recordings
from tests.datasets.recordings import SENSORS, TABLES, UNITS, WRITERS, rows

MEANING = Meaning((24, 32))


def as_table(events):
    return np.stack([events.x, events.y, events.p, events.t], 1)


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_the_events_that_were_written(name, tmp_path):
    table = rows()
    WRITERS[name](tmp_path / name, table)
    meaning = Meaning(SENSORS.get(name, (24, 32)), UNITS.get(name))
    assert (as_table(read_own(tmp_path / name, TABLES.get(name), meaning)) == table).all()
    assert read_raw(tmp_path / name, TABLES.get(name)).sensor == SENSORS.get(name)


def test_every_ending_is_tried():
    tried = {f".{name.rpartition('.')[2]}" for name in WRITERS}
    assert set(ENDINGS) - tried == {".hdf5", ".aedat4"}


def test_a_format_whose_package_is_missing_is_one_error_with_the_command(tmp_path, monkeypatch):
    monkeypatch.setattr("snnlab.packages.find_spec", lambda name: None)
    (tmp_path / "a.aedat4").write_bytes(b"x")
    with pytest.raises(MissingPackageError, match=r"a\.aedat4.* needs the package 'aedat'.*pip install"):
        read_raw(tmp_path / "a.aedat4", None)
    recordings.write_h5(tmp_path / "a.h5", rows())
    with pytest.raises(MissingPackageError, match="pip install h5py"):
        read_raw(tmp_path / "a.h5", None)


def test_evt2_from_words_of_its_description():
    words = [
        (1 << 28) | (5 << 22) | (7 << 11) | 9,  # before any time: lost
        (8 << 28) | 100,
        (1 << 28) | (5 << 22) | (7 << 11) | 9,
        0xA0000000,  # an external trigger
        (0 << 28) | (63 << 22) | (2047 << 11) | 2047,
    ]
    x, y, p, t = prophesee.decode_evt2(np.array(words, np.int64))
    assert (x.tolist(), y.tolist()) == ([7, 2047], [9, 2047])
    assert (p.tolist(), t.tolist()) == ([1, 0], [6405, 6463])


def test_evt3_from_words_of_its_description():
    words = [
        0x2005,  # before any row and time: lost
        0x8001, 0x6010, 0x0007,  # time 1 << 12 | 16, row 7
        0x2803,  # ON at column 3
        0x3064,  # a group of OFF events from column 100
        0x4801, 0x5081, 0x4003,  # 100 and 111; 112 and 119; 120 and 121
        0x2009,  # OFF at column 9
        0x7123, 0xA000,  # more data, a trigger
        0x8FFF, 0x6000, 0x2001, 0x8000, 0x6001, 0x2002,  # the high part starts anew
    ]  # fmt: skip
    x, y, p, t = prophesee.decode_evt3(np.array(words, np.int64))
    assert x.tolist() == [3, 100, 111, 112, 119, 120, 121, 9, 1, 2]
    assert p.tolist() == [1, *[0] * 9]
    assert set(y.tolist()) == {7}
    assert t.tolist() == [4112] * 8 + [0xFFF << 12, (1 << 24) | 1]


@pytest.mark.parametrize("encoding", ["evt2", "evt3", "dat"])
def test_another_reader_finds_the_same_events(encoding, tmp_path):
    expelliarmus = pytest.importorskip("expelliarmus")
    name = {"evt2": "evt2.raw", "evt3": "evt3.raw", "dat": "cd.dat"}[encoding]
    WRITERS[name](tmp_path / name, rows(count=500))
    theirs = expelliarmus.Wizard(encoding=encoding).read(tmp_path / name)
    ours = read_raw(tmp_path / name, None)
    for letter in "xyp":
        assert (theirs[letter] == getattr(ours, letter)).all()
    # It adds the high part of EVT 3.0's time once more whenever the low part starts anew.
    part = 2**12 if encoding == "evt3" else 2**62
    assert (theirs["t"] % part == ours.t % part).all()


def refused(path, columns="txyp", meaning=MEANING):
    with pytest.raises(DataError) as caught:
        read_own(path, columns, meaning)
    assert path.name in caught.value.message
    assert caught.value.hint
    return f"{caught.value.message} | {caught.value.hint}"


def saved(tmp_path, table, scale=1.0):
    table = table[:, [3, 0, 1, 2]].astype(float)
    table[:, 0] *= scale
    np.save(tmp_path / "a.npy", table)
    return tmp_path / "a.npy"


@pytest.mark.parametrize(("scale", "unit"), [(1e-6, "s"), (1e-3, "ms"), (1e4, "ns")])
def test_times_that_make_no_sense_in_microseconds_are_an_error_with_the_numbers(scale, unit, tmp_path):
    table = rows()
    table[0, 3], table[-1, 3] = 0, 300_000
    text = refused(saved(tmp_path, table, scale))
    assert f"times from 0 to {300_000 * scale:.10g} are" in text
    assert f"{unit} (" in text
    assert "dataset.time_unit=us if it is right" in text
    assert len(read_own(tmp_path / "a.npy", "txyp", Meaning((24, 32), unit))) == len(table)


def test_a_unit_that_is_given_and_makes_no_sense_is_an_error(tmp_path):
    text = refused(saved(tmp_path, rows()), meaning=Meaning((24, 32), "s"))
    assert (
        "s in s, longer than a recording can be | dataset.time_unit names the unit: ms (298 s) or us (0.298 s)"
        in text
    )


def test_a_table_without_names_needs_the_order_of_its_columns(tmp_path):
    text = refused(saved(tmp_path, rows()), columns=None)
    assert "column 4: 0 to 1 | dataset.columns=txyp fits these numbers" in text
    assert "4 columns, and dataset.columns=txyp_ names 5" in refused(tmp_path / "a.npy", columns="txyp_")


def test_coordinates_and_polarities_that_do_not_fit_are_errors_with_the_numbers(tmp_path):
    path = saved(tmp_path, rows())
    assert "events with y from" in refused(path, meaning=Meaning((8, 32)))
    assert "sensor has 0 to 7" in refused(path, meaning=Meaning((8, 32)))
    assert "polarities 1.0, 2.0, 4.0, 7.0 and others" in refused(path, columns="tpyx")
    np.save(path, np.add(rows(), [1, 1, 0, 0]))
    assert (
        as_table(read_own(path, "xypt", Meaning((24, 32), first=1)))[:, :2].tolist() == rows()[:, :2].tolist()
    )


def test_events_are_sorted_by_time(tmp_path):
    table = rows()
    np.save(tmp_path / "a.npy", table[::-1])
    assert (np.diff(read_own(tmp_path / "a.npy", "xypt", MEANING).t) >= 0).all()


def test_a_csv_without_names_and_with_lines_of_other_lengths(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("0;1;2;1\n20000;3;4;0\n")
    assert as_table(read_own(path, "txyp", MEANING)).tolist() == [[1, 2, 1, 0], [3, 4, 0, 20000]]
    path.write_text("0,1,2,1\n20000,3,4\n")
    assert "lines of 3 to 4 numbers" in refused(path)


def test_several_recordings_in_a_file_are_an_error(tmp_path):
    np.savez(tmp_path / "a.npz", one=rows()[:, [3, 0, 1, 2]], two=rows())
    assert "events in one and in two" in refused(tmp_path / "a.npz")


def test_another_encoding_is_named(tmp_path):
    (tmp_path / "a.raw").write_bytes(b"% evt 2.1\n% end\n" + bytes(8))
    assert "names the encoding 2.1" in refused(tmp_path / "a.raw")


LINES = "\n".join(f"{20_000 * k},{k},{k},{{{k % 2}}}" for k in range(12))
WORDS = {"true": ("False", "True"), "on": ("off", "ON"), "signs": ("-1", "1"), "quotes": ('"0"', '"1"')}


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize(
    "head",
    [
        "t,x,y,p",
        '"t","x","y","p"',
        "Time (us),X,Y,Polarity",
        "% a comment\n// another\n# gr\xf6\xdfe\nts,xs,ys,ps",
    ],
)
def test_text_as_other_tools_write_it(tmp_path, words, head):
    (tmp_path / "a.csv").write_text(f"{head}\n{LINES.format(*WORDS[words])}\n", encoding="latin-1")
    found = read_own(tmp_path / "a.csv", None, MEANING)
    assert found.t.tolist() == [20_000 * k for k in range(12)]
    assert (found.x.tolist(), found.y.tolist(), found.p.tolist()) == ([*range(12)], [*range(12)], [0, 1] * 6)


def test_a_column_without_a_name_and_other_separators(tmp_path):
    lines = LINES.format(0, 1).splitlines()
    (tmp_path / "pandas.csv").write_text(
        ",t,x,y,p\n" + "\n".join(f"{k},{line}" for k, line in enumerate(lines))
    )
    (tmp_path / "excel.csv").write_text(
        "t;x;y;p\r\n" + "\r\n".join(line.replace(",", ";") + ";" for line in lines)
    )
    (tmp_path / "tabs.txt").write_text("\n".join(line.replace(",", "\t") for line in lines))
    (tmp_path / "blanks.txt").write_text("\n".join(line.replace(",", "   ") for line in lines))
    (tmp_path / "both.txt").write_text("\n".join(line.replace(",", ", ") for line in lines))
    first = read_own(tmp_path / "pandas.csv", None, MEANING)
    for name in ("excel.csv", "tabs.txt", "blanks.txt", "both.txt"):
        assert (as_table(read_own(tmp_path / name, "txyp", MEANING)) == as_table(first)).all(), name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("t;x;y;p\n0,5;1;1;0\n", r"a\.csv: line 2: '0,5' is no number"),
        ("t,x,y,p\n5,1,,0\n", r"a\.csv: line 2: '' is no number"),
        ("# c\nt,x,y,p\n1,1,1,1\n2024-01-01,1,1,0\n", r"line 4: '2024-01-01' is no number"),
        ("these are labels\n", "its only line, 'these are labels', is no event"),
        ("t,x,y\n1,1,1\n", "no names that say .*; the first line is 't,x,y'"),
    ],
)
def test_a_line_that_is_no_event_is_named(tmp_path, text, message):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        read_own(tmp_path / "a.csv", None, MEANING)


@pytest.mark.parametrize("text", ["", "\n", "t,x,y,p\n", "# nothing\n"])
def test_a_text_without_events_holds_none(tmp_path, text):
    (tmp_path / "a.csv").write_text(text)
    assert len(read_own(tmp_path / "a.csv", None, MEANING).t) == 0


def raw(t, unit=None, sensor=None):
    x = np.zeros(len(t), int)
    return RawEvents(x, x, x, np.asarray(t), unit, sensor)


def test_times_that_may_be_nanoseconds_are_not_guessed(tmp_path):
    t = 37_000_000 * np.arange(12)
    np.savez(tmp_path / "a.npz", t=t, x=np.arange(12), y=np.arange(12), p=np.arange(12) % 2)
    with pytest.raises(DataError, match=r"whole thousands .*: 407 s if .* microseconds, 0\.407 s if") as one:
        read_own(tmp_path / "a.npz", None, MEANING)
    assert "dataset.time_unit=ns" in one.value.hint
    assert read_own(tmp_path / "a.npz", None, Meaning((24, 32), "ns")).t[-1] == 407_000
    assert read_own(tmp_path / "a.npz", None, Meaning((24, 32), "us")).t[-1] == 407_000_000
    np.savez(tmp_path / "b.npz", t=t + np.arange(12), x=t * 0, y=t * 0, p=t * 0)  # no whole thousands
    assert read_own(tmp_path / "b.npz", None, MEANING).t[-1] == 407_000_011


def test_what_is_assumed_is_said():
    (said,) = assumptions(raw(np.arange(0, 500_001, 50_000)), MEANING, "left/1.npy")
    assert said == (
        "no unit of time is given, microseconds are assumed: left/1.npy lasts 0.5 s (500 s with dataset.time_unit=ms)"
    )
    assert assumptions(raw(np.arange(9), "us", (24, 32)), MEANING, "1.dat") == []
    assert assumptions(raw(np.arange(9)), Meaning((24, 32), "ms"), "1.npy") == []
    assert assumptions(raw(np.arange(9), "us", (48, 64)), Meaning((24, 32), "ms"), "1.dat") == [
        "1.dat says that its times are in us; dataset.time_unit=ms is not used for it",
        "1.dat says that its sensor has 64 x 48 pixels; 32 x 24 are taken",
    ]
