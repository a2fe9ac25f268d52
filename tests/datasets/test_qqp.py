"""Question pairs in GLUE's form, from made-up files."""

import numpy as np
import pytest

from snnlab.data.words import SEPARATOR, UNKNOWN
from snnlab.datasets import QQP
from snnlab.errors import DataError
from tests.datasets.trees import write_pairs

pytest.importorskip("tokenizers")
TRAIN = [
    ("What is love?", "What is love, really?", 1),
    ('Why does "it" rain', 'Why is " it so', 0),
    ("What is it?", "Why is it?", 0),
]
DEV = [("What is love?", "why Rain", 1), ("Is it?", "What is love?", 0)]


@pytest.fixture
def root(tmp_path):
    write_pairs(tmp_path / "qqp/train.tsv", TRAIN)
    write_pairs(tmp_path / "qqp/dev.tsv", DEV)
    return tmp_path


def test_a_sample_is_both_questions_with_a_word_between(root):
    dataset = QQP(root, length=12)
    train, test = dataset.train_set(), dataset.test_set()
    assert (train.labels.tolist(), test.labels.tolist()) == ([1, 0, 0], [1, 0])
    assert dataset.words.separator == SEPARATOR
    raw, _ = test[0]
    assert raw.shape == (1, 12, 1)
    row = raw.flatten().tolist()
    first, second = row[: row.index(SEPARATOR)], row[row.index(SEPARATOR) + 1 :]
    assert len(first) == 4, "the question mark is a word"
    assert second[2:] == [0] * (len(second) - 2)
    assert second[0] > SEPARATOR, "in lower case, it was seen twice in training"
    assert second[1] == UNKNOWN, "it was seen once"
    again = test[1][0].flatten().tolist()
    assert again[again.index(SEPARATOR) + 1 :][:4] == first


def test_quotation_marks_swallow_no_line(root):
    dataset = QQP(root, min_count=1, length=12)
    assert len(dataset.train_set()) == 3
    row = dataset.train_set()[1][0].flatten().tolist()
    mark = row[2]
    assert row[4] == mark, "each is a word of its own"
    assert row[row.index(SEPARATOR) + 3] == mark


def test_the_longer_question_is_cut_first(root):
    write_pairs(root / "qqp/train.tsv", [("a b c d e f g h", "a b", 0), ("a", "a b c d e f g h", 1)])
    rows = QQP(root, min_count=1, length=6).train_set().batch([0, 1])[0].flatten(1).tolist()
    assert [row.index(SEPARATOR) for row in rows] == [3, 1]
    assert all(0 not in row for row in rows)


def test_pieces_of_questions_are_left_out_and_counted_as_published(root):
    file = root / "qqp/train.tsv"
    lines = file.read_text().splitlines()
    write_pairs(file, TRAIN * 400)
    file.write_text(file.read_text() + "7\t1\t2\tWhat\nis it?\tWho\t1\n")
    assert len(QQP(root).train_set()) == 1200
    file.write_text("\n".join([*lines, "7\t1\t2\tWhat", "is it?\tWho\t1"]))
    with pytest.raises(DataError, match=r"train\.tsv: 2 of 5 lines have fewer than 6 columns"):
        QQP(root).prepare()


def test_counts_near_the_published_ones_are_in_order(root, monkeypatch):
    assert QQP(root).verify() == ["3 + 2 sentences to train and test, published are 363846 + 40430"]
    monkeypatch.setattr(QQP, "parts", (5, 2))
    assert QQP(root).verify() == []
    monkeypatch.setattr(QQP, "parts", (7, 2))
    assert len(QQP(root).verify()) == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("9\t1\t2\ta\tb\t2", "line 5: expected two questions and 0 or 1"),
        ("9\t1\t2\ta\tb\t", "line 5: expected two questions and 0 or 1"),
        ("9\t1\t2\ta\tb\tc\t1", "line 5: expected two questions and 0 or 1"),
    ],
)
def test_lines_of_another_format(root, line, said):
    with (root / "qqp/train.tsv").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(DataError, match=said):
        QQP(root).prepare()


@pytest.mark.parametrize("text", ["", "sentence\tlabel\ngood\t1\n", "1\t2\t3\ta\tb\t0\n"])
def test_a_table_of_other_columns(root, text):
    (root / "qqp/dev.tsv").write_text(text)
    with pytest.raises(DataError, match=r"dev\.tsv, line 1: expected the columns id, qid1"):
        QQP(root).prepare()


def test_pairs_without_a_word(root):
    write_pairs(root / "qqp/dev.tsv", [*DEV, ("", " ", 0)])
    with pytest.raises(DataError, match="held-out sentence 3: no word"):
        QQP(root).prepare()
    dataset = QQP(root, empty="skip")
    assert len(dataset.test_set()) == 2
    assert dataset.skipped == ("held-out sentence 3",)


def test_given_vectors(root):
    file = root / "vectors.txt"
    file.write_text("what 1 2 3 4\nit -1 0 1 0\n")
    words = QQP(root, vectors=str(file)).words
    assert (words.dim, words.separator) == (4, SEPARATOR)
    assert np.isfinite(words.vectors.numpy()).all()
