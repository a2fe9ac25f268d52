"""SST-2: positive and negative sentences of film reviews."""

from pathlib import Path
from typing import Literal

from snnlab.data.text_data import Sentences, TextData
from snnlab.data.text_tables import read_table
from snnlab.ranges import PositiveInt


class SST2(TextData):
    """SST-2 (Socher et al. 2013, as in GLUE): 67,349 phrases and sentences to train and 872 sentences to test.

    `train.tsv` and `dev.tsv` with the columns sentence and label, under `text/SST-2` or `sst2` in the data folder.
    The labels of GLUE's own test part are not published, so results are for its dev part. Words are separated by
    blanks as published; they are taken in lower case.

    Args:
        root: folder of all data sets.
        num_steps: unused, the sentence is repeated at every step.
        length: words of a sentence; longer ones are cut off. At 25, Lv's default, these are 26 % of dev; at most there
            are 47 words.
        min_count: a word that occurs less often in training is the unknown word.
        dim: numbers of a word's vector, where it is learned.
        vectors: file of word vectors (GloVe, word2vec as text); null: learned with the network.
        empty: sentences without a word: error | skip (left out and counted).
        split: published: train against dev.
    """

    name = "sst2"
    folders = ("text/SST-2", "sst2", "SST-2")
    files = ("train.tsv", "dev.tsv")
    parts = (67_349, 872)
    class_names = ("negative", "positive")
    address = "https://gluebenchmark.com/tasks"

    def __init__(
        self,
        root: Path,
        num_steps: int = 50,
        *,
        length: PositiveInt = 25,
        min_count: PositiveInt = 2,
        dim: PositiveInt = 300,
        vectors: str | None = None,
        empty: Literal["error", "skip"] = "error",
        split: Literal["published"] = "published",
    ) -> None:
        super().__init__(root, length, min_count, dim, vectors, split, empty)

    def read(self, folder: Path) -> tuple[Sentences, Sentences]:
        train, test = (read_table(folder / file, "\t", 0, self.num_classes) for file in self.files)
        return train, test
