"""Word vectors from files in GloVe's and word2vec's text formats."""

import numpy as np
import pytest
import torch

from snnlab.data.words import read_vectors, vector_size
from snnlab.errors import DataError

VOCABULARY = {"[PAD]": 0, "[UNK]": 1, "good": 2, "bad": 3, "unheard": 4}
LINES = ["good 1.0 2.0 3.0", "bad -1 -2 -3", "other 0.5 0 -9"]


def write(path, lines, header=None):
    path.write_text("".join(f"{line}\n" for line in ([] if header is None else [header]) + lines))
    return path


@pytest.mark.parametrize("header", [None, "3 3"])
def test_standardised_by_all_numbers_of_the_file(tmp_path, header):
    path = write(tmp_path / "glove.txt", LINES, header)
    assert vector_size(path) == 3
    words = read_vectors(path, VOCABULARY)
    numbers = np.array([[1, 2, 3], [-1, -2, -3], [0.5, 0, -9]])
    expected = (np.array([[0, 0, 0], [0, 0, 0], *numbers[:2], [0, 0, 0]]) - numbers.mean()) / numbers.std()
    assert (words.count, words.dim) == (5, 3)
    assert words.vectors.dtype == torch.float32
    np.testing.assert_allclose(words.vectors, expected, rtol=1e-6)
    assert words.origin == "glove.txt, 2 of 3 words, fixed"


def test_words_with_blanks(tmp_path):
    path = write(tmp_path / "v.txt", ["good 1 2", ". . . 3 4", "bad 5 6"])
    words = read_vectors(path, VOCABULARY | {". . .": 5})
    assert words.origin.startswith("v.txt, 3 of 4")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"good 1 2 3\nbad 1 2 3\nshort 1 2\n", "line 3: expected a word and 3 numbers, got 'short 1 2'"),
        (b"good 1 2 3\nbad 1 2 3\nx 1 nan 2\n", "line 3: expected"),
        (b"good 1 2\nbad x 2\n", "line 2: expected"),
        (b"\xff\xfe\x00\x01", "no text file of word vectors"),
        (b"", "no text file of word vectors"),
        (b"5 5000000000\ngood 1 2 3\n", "promises vectors of 5000000000 numbers, and its first one has 3"),
        (b"5 9" + b"9" * 5000 + b"\ngood 1 2 3\n", "promises vectors of 9"),
        (b"5 \xc2\xb2\ngood 1 2\n", "expected a word and 1 numbers"),
        (b"good 1e200 2\nbad 1 2\n", "line 1: expected"),
        (b"good " + b"1 " * 600_000, "no text file of word vectors"),
        (b"good" + b" 1" * 20_000, "no text file of word vectors"),
        (b"nothing 1 2\nuseful 3 4\n", "holds none of the 3 words"),
    ],
)
def test_other_files_are_refused(tmp_path, content, message):
    path = tmp_path / "vectors.txt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"dataset.vectors: .*{message}") as caught:
        read_vectors(path, VOCABULARY)
    assert caught.value.hint


def test_a_missing_file_says_what_is_wanted(tmp_path):
    with pytest.raises(DataError, match=r"dataset\.vectors: cannot read .*none\.txt: No such file") as caught:
        vector_size(tmp_path / "none.txt")
    assert "dataset.vectors=null learns them" in caught.value.hint
