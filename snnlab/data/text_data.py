"""Base of the text data sets: sentences become indices into a vocabulary built from the training part.

Shapes: N sentences, B batch, L words of a sentence.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from snnlab.data.dataset import LabelledData, Status
from snnlab.data.empty import Empty, settle_empty
from snnlab.data.few_of_many import CHEAP
from snnlab.data.files import ELSEWHERE
from snnlab.data.foreign import reading
from snnlab.data.identity import DataFiles
from snnlab.data.sample_sets import ArraySet, SampleSet
from snnlab.data.sentences import Sentences as Sentences
from snnlab.data.tokens import make_tokenizer, word_indices
from snnlab.data.without_effect import refuse_without_effect
from snnlab.data.words import PADDING, SEPARATOR, Words, read_vectors, vector_size
from snnlab.errors import DataError

_MADE_UP = 1000


class TextData(LabelledData):
    """A data set of sentences.

    A subclass defines its classes and reads its files (`read`). A sample holds the indices of a sentence's first words,
    [1, L, 1], padded; the network gets them at every time step, through the embedding that `words` describes. The
    vocabulary is built from the training part alone; a word outside of it is the unknown word.

    Args:
        root: folder of all data sets.
        length: words of a sentence, L.
        min_count: number of occurrences in the training part below which a word is the unknown word.
        dim: size of learned word vectors.
        vectors: file of word vectors, see `read_vectors`; `None`: they are learned.
        split_name: the named split.
        empty: sentences without a word: an `error`, or `skip`.

    Raises:
        ValueError: `dim` is given with `vectors`, which have a size of their own.
    """

    name: ClassVar[str]
    folders: ClassVar[tuple[str, ...]]
    files: tuple[str, ...]
    parts: tuple[int, int]
    """Published number of sentences to train and to test."""
    parts_in_doubt: ClassVar[int] = 0
    """By how many readers of the published files differ in these numbers."""
    pairs: ClassVar[bool] = False
    """Samples are two sentences, with [SEP] between them."""
    address: ClassVar[str]
    columns: ClassVar[tuple[str, ...]] = ("sentence", "label")
    in_channels = 1
    static = True
    reads_words = True

    def __init__(
        self,
        root: Path,
        length: int,
        min_count: int,
        dim: int,
        vectors: str | None,
        split_name: str,
        empty: Empty = "error",
    ) -> None:
        refuse_without_effect(type(self), {"dim": dim, "vectors": vectors}, {"dim": ("vectors", None)})
        self.root = Path(root)
        self.length = length
        self.min_count = min_count
        self.vectors = None if vectors is None else Path(vectors).expanduser()
        self.dim = dim if self.vectors is None else vector_size(self.vectors)
        self.split_name = split_name
        self.empty = empty
        self.num_classes = len(self.class_names)
        self.raw_shape = (1, length, 1)

    def read(self, folder: Path) -> tuple[Sentences, Sentences]:
        """The training and test sentences.

        Raises:
            DataError: a file is damaged.
        """
        raise NotImplementedError

    def separate(self, texts: Sequence[str]) -> list[str]:
        """Separates words by blanks; the published English sets are separated already."""
        return list(texts)

    @property
    def frame_shape(self) -> tuple[int, int]:
        return self.length, self.dim

    @property
    def words(self) -> Words:
        return self._words

    @cached_property
    def _words(self) -> Words:
        tokenizer = self._content[0]
        if self.vectors is None:
            return Words(tokenizer.get_vocab_size(), self.dim, separator=self._separator)
        return replace(read_vectors(self.vectors, tokenizer.get_vocab()), separator=self._separator)

    @property
    def _separator(self) -> int | None:
        return SEPARATOR if self.pairs else None

    def made_up_words(self) -> Words:
        return Words(_MADE_UP, self.dim, separator=self._separator)

    def made_up(self, count: int, first: int) -> SampleSet:
        return MadeUpSentences(self.length, self.num_classes, count, first)

    def decode(self, raw: Tensor) -> Tensor:
        """Word indices, integers [B, 1, L, 1], as float32 [B, 1, 1, L, 1]: exact up to 16 million."""
        return raw.to(torch.float32).unsqueeze(1)

    def _train_set(self) -> SampleSet:
        return self._content[1]

    def _test_set(self) -> SampleSet:
        return self._content[2]

    def data_files(self) -> DataFiles:
        folder = self._find()
        if folder is None:
            raise self._missing()
        read = [(file, (folder / file).stat().st_size) for file in self.files]
        if self.vectors is not None and self.vectors.is_file():
            read.append((f"vectors/{self.vectors.name}", self.vectors.stat().st_size))
        return DataFiles.of(read)

    def read_some(self) -> None:
        super().read_some()
        if self._find() is not None and (self.vectors is None or self.vectors.stat().st_size <= CHEAP):
            self.prepare()

    def prepare(self) -> None:
        self.words  # noqa: B018  # reads the sentences and, where there are some, the vectors

    def status(self) -> Status:
        folder = self._find()
        if folder is None:
            return Status(False, None, None, sum(self.parts), note=self._missing().hint)
        try:
            count = sum(len(part.texts) for part in self.read(folder))
        except DataError as error:
            return Status(False, folder, None, sum(self.parts), note=error.message, damaged=True)
        return Status(True, folder, count, sum(self.parts))

    def verify(self) -> list[str]:
        folder = self._find()
        if folder is None:
            return [self._missing().message]
        try:
            found = tuple(len(part.texts) for part in self.read(folder))
            self.prepare()
        except DataError as error:
            return [error.message]
        if all(abs(here - said) <= self.parts_in_doubt for here, said in zip(found, self.parts, strict=True)):
            return []
        published = f"published are {self.parts[0]} + {self.parts[1]}"
        return [f"{found[0]} + {found[1]} sentences to train and test, {published}"]

    @cached_property
    def _content(self) -> tuple[Any, ArraySet, ArraySet]:
        """The tokenizer, and both parts in memory.

        Raises:
            DataError: the files are missing or damaged, or a package is missing.
        """
        folder = self._find()
        if folder is None:
            raise self._missing()
        parts = self.read(folder)
        for part, side in zip(parts, ("training", "held-out"), strict=True):
            if not part.texts:
                raise DataError(f"dataset {self.name}: {folder} holds no {side} sentence", self._how())
        with reading(f"dataset {self.name}: the text in {folder}"):
            separated = [
                [self.separate(texts) for texts in (part.texts, part.seconds) if texts is not None]
                for part in parts
            ]
            tokenizer = make_tokenizer(separated[0], self.min_count, self.length)
            indices = [word_indices(tokenizer, texts) for texts in separated]
        full = [((rows != PADDING) & (rows != self._separator)).any((1, 2, 3)) for rows in indices]
        self.skipped = tuple(
            f"{side} sentence {number + 1}"
            for side, some in zip(("training", "held-out"), full, strict=True)
            for number in np.flatnonzero(~some).tolist()
        )
        settle_empty(self.name, f"no word, in {folder}", self.skipped, self.empty)
        train_set, test_set = (
            ArraySet(rows, part.labels, np.flatnonzero(some))
            for rows, part, some in zip(indices, parts, full, strict=True)
        )
        return tokenizer, train_set, test_set

    def _find(self) -> Path | None:
        """The first folder that holds all files."""
        for folder in self.folders:
            if all((self.root / folder / file).is_file() for file in self.files):
                return self.root / folder
        return None

    def _missing(self) -> DataError:
        wanted = " and ".join(self.files)
        return DataError(f"dataset {self.name}: no {wanted} in {self.root / self.folders[0]}", self._how())

    def _how(self) -> str:
        columns = f"{', '.join(self.columns[:-1])} and {self.columns[-1]}"
        return (
            f"get it from {self.address} and put {' and '.join(self.files)} (columns {columns}) "
            f"into {self.root / self.folders[0]}; {ELSEWHERE}"
        )


class MadeUpSentences(SampleSet):
    """Generated sentences: half of the words of class k come from ten words of that class, the rest from all."""

    def __init__(self, length: int, num_classes: int, count: int, first: int) -> None:
        self.length, self.num_classes, self.first = length, num_classes, first
        self.labels = (np.arange(count) + first) % num_classes

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        label = int(self.labels[index])
        generator = torch.Generator().manual_seed(self.first + int(index))
        words = torch.randint(2, _MADE_UP, (self.length,), generator=generator)
        own = 2 + 10 * label + torch.randint(10, (self.length,), generator=generator)
        chosen = torch.where(torch.rand(self.length, generator=generator) < 0.5, own, words)
        return chosen.to(torch.int32).view(1, self.length, 1), label
