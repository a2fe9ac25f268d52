"""Word vectors in the text formats of GloVe and word2vec, and the description of the embedding of a text data set.

Shapes: V words, D numbers of a vector.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from snnlab.data.foreign import reading
from snnlab.errors import DataError

PADDING, UNKNOWN = 0, 1
"""Indices of the first two words of every vocabulary."""
SEPARATOR = 2
"""Index of the word between the sentences of a pair, in vocabularies of pairs."""
_LONGEST_LINE = 1_000_000
_LARGEST_DIM = 10_000
_LARGEST_NUMBER = 1e100  # squares of larger ones, and their sum, may be infinite


@dataclass(frozen=True)
class Words:
    """The embedding before a network that reads words.

    Attributes:
        count: words V, with padding (0) and unknown words (1).
        dim: size D of a word's vector.
        vectors: fixed vectors [V, D], standardised; `None`: the network learns them.
        origin: where the vectors are from, as stored with a result.
        separator: the word between the two sentences of a sample; `None`: samples are single sentences.
    """

    count: int
    dim: int
    vectors: Tensor | None = None
    origin: str = "learned"
    separator: int | None = None


def vector_size(path: Path) -> int:
    """D of a file of word vectors.

    Raises:
        DataError: there is no such file, or it has another format.
    """
    return _open(path)[1]


def read_vectors(path: Path, vocabulary: Mapping[str, int]) -> Words:
    """The vectors of a vocabulary's words, standardised.

    From each number the mean over all numbers of the file is taken, and it is divided by their standard deviation (over
    all words of the file, as in the text networks of Lv et al. 2023). A word that the file does not hold
    gets the vector of zeros, before this, as an unknown word does.

    Args:
        path: one word and its D numbers a line, separated by blanks; a first line of two numbers, as word2vec
            writes it, is skipped. A word may hold blanks: the last D columns count.
        vocabulary: index of each word.

    Raises:
        DataError: there is no such file, it has another format, or it holds none of the words.
    """
    skip, dim = _open(path)
    table = np.zeros((len(vocabulary), dim))
    found, count, total, squares = set(), 0, 0.0, 0.0
    for number, line in enumerate(_lines(path), start=1):
        if number <= skip or not line.strip():
            continue
        word, vector = _parse(path, number, line, dim)
        count += dim
        total += float(vector.sum())
        squares += float(vector @ vector)
        index = vocabulary.get(word)
        if index is not None and index > UNKNOWN:
            table[index] = vector
            found.add(index)
    words = len(vocabulary) - 2
    if not found:
        raise DataError(
            f"dataset.vectors: {path} holds none of the {words:,} words of the training sentences",
            "give vectors of that language, in lower case; dataset.vectors=null learns them",
        )
    mean = total / count
    deviation = max(squares / count - mean**2, 1e-12) ** 0.5
    origin = f"{path.name}, {len(found):,} of {words:,} words, fixed"
    vectors = torch.from_numpy(((table - mean) / deviation).astype(np.float32))
    return Words(len(vocabulary), dim, vectors, origin)


def _open(path: Path) -> tuple[int, int]:
    """Number of lines to skip, and D, which the first vector has to bear out before memory is taken for others."""
    lines = _lines(path)
    first, second = next(lines, "").split(), next(lines, "").split()
    lines.close()
    if len(first) == 2 and first[1].isascii() and first[1].isdigit():
        skip, wanted = 1, first[1]
        dim = int(wanted) if len(wanted) < 9 else _LARGEST_DIM + 1
        if len(second) <= dim:
            raise DataError(
                f"dataset.vectors: {path} promises vectors of {wanted[:20]} numbers, and its first one has "
                f"{max(len(second) - 1, 0)}",
                "the file is damaged, or not of GloVe's or word2vec's text format",
            )
    else:
        # The shorter of two lines: a word may hold a blank.
        skip, dim = 0, min(len(first), len(second) or len(first)) - 1
    if not 1 <= dim <= _LARGEST_DIM:
        raise _not_text(path)
    return skip, dim


def _lines(path: Path) -> Generator[str]:
    """The lines of a text file; none is held that is longer than a million letters."""
    try:
        file = path.open(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise DataError(
            f"dataset.vectors: cannot read {path}: {getattr(error, 'strerror', None) or error}",
            "name a file of word vectors as text, one word a line; dataset.vectors=null learns them",
        ) from error
    with file, reading(f"dataset.vectors: {path}"):
        while True:
            try:
                line = file.readline(_LONGEST_LINE)
            except UnicodeDecodeError as error:
                raise _not_text(path) from error
            if len(line) == _LONGEST_LINE:
                raise _not_text(path)
            if not line:
                return
            yield line


def _parse(path: Path, number: int, line: str, dim: int) -> tuple[str, NDArray[np.float64]]:
    columns = line.rstrip().split(" ")
    try:
        vector = np.array(columns[-dim:], np.float64)
    except ValueError:
        vector = np.empty(0)
    if len(columns) <= dim or len(vector) != dim or not (np.abs(vector) < _LARGEST_NUMBER).all():
        raise DataError(
            f"dataset.vectors: {path}, line {number}: expected a word and {dim} numbers, got {line.strip()[:40]!r}",
            "the file is damaged, or not of GloVe's or word2vec's text format",
        )
    return " ".join(columns[:-dim]), vector


def _not_text(path: Path) -> DataError:
    return DataError(
        f"dataset.vectors: {path} is no text file of word vectors",
        "one word and its numbers a line; binary word2vec files have to be converted",
    )
