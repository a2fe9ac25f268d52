"""QQP: pairs of questions, and whether they ask the same."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from snnlab.data.pairs import COLUMNS, read_pairs
from snnlab.data.text_data import Sentences, TextData
from snnlab.ranges import PositiveInt

_WORD = re.compile(r"\w+|[^\w\s]")


class QQP(TextData):
    """Quora Question Pairs as in GLUE: 363,846 pairs to train and 40,430 to test.

    `train.tsv` and `dev.tsv` with the columns id, qid1, qid2, question1, question2 and is_duplicate, under `text/QQP`,
    `qqp` or `QQP` in the data folder, separated by tabs and not quoted. The labels of GLUE's own test part are not
    published, so results are for its dev part, where GLUE reports accuracy and F1. TMC cites Kaggle's form of the data
    (404,290 and 2,345,795 pairs), whose test part has no labels either.

    A sample is both questions with the word [SEP] between them; where they are longer than `length`, the longer one is
    cut first. Words are runs of letters and digits, and each other sign, in lower case; BERT's word pieces need a
    vocabulary file, which is not here.

    Args:
        root: folder of all data sets.
        num_steps: unused, the pair is repeated at every step.
        length: words of a pair, with [SEP] between them. Default: 127, which with the [CLS] of spiking_bert is
            SpikingBERT's 128.
        min_count: a word that occurs less often in training is the unknown word.
        dim: numbers of a word's vector, where it is learned; a multiple of spiking_bert's heads. Default 768.
        vectors: file of word vectors (GloVe, word2vec as text); null: learned with the network.
        empty: sentences without a word: error | skip (left out and counted).
        split: published: train against dev.
    """

    name = "qqp"
    folders = ("text/QQP", "qqp", "QQP")
    files = ("train.tsv", "dev.tsv")
    columns = COLUMNS
    parts = (363_846, 40_430)
    parts_in_doubt = 3  # GLUE's readers count 363,846 or 363,849, as they take pieces of questions
    pairs = True
    class_names = ("different", "duplicate")
    address = "https://gluebenchmark.com/tasks"

    def __init__(
        self,
        root: Path,
        num_steps: int = 80,
        *,
        length: PositiveInt = 127,
        min_count: PositiveInt = 2,
        dim: PositiveInt = 768,
        vectors: str | None = None,
        empty: Literal["error", "skip"] = "error",
        split: Literal["published"] = "published",
    ) -> None:
        super().__init__(root, length, min_count, dim, vectors, split, empty)

    def read(self, folder: Path) -> tuple[Sentences, Sentences]:
        train, test = (read_pairs(folder / file) for file in self.files)
        return train, test

    def separate(self, texts: Sequence[str]) -> list[str]:
        return [" ".join(_WORD.findall(text)) for text in texts]
