"""SST-5: sentences of film reviews from very negative to very positive."""

from pathlib import Path
from typing import Literal

from snnlab.data.text_data import Sentences, TextData
from snnlab.data.text_tables import read_table
from snnlab.ranges import PositiveInt


class SST5(TextData):
    """SST-5 (Socher et al. 2013): 8,544 sentences to train, 1,101 in the dev part, 2,210 to test, five classes.

    `train.tsv` and `dev.tsv` or `test.tsv` with the columns sentence and label (0 to 4), under `text/SST-5` or `sst5`
    in the data folder. Words are separated by blanks as published; they are taken in lower case.

    Args:
        root: folder of all data sets.
        num_steps: unused, the sentence is repeated at every step.
        length: words of a sentence; longer ones are cut off. At 25, Lv's default, these are 25 % of dev; at most there
            are 49 words.
        min_count: a word that occurs less often in training is the unknown word.
        dim: numbers of a word's vector, where it is learned.
        vectors: file of word vectors (GloVe, word2vec as text); null: learned with the network.
        empty: sentences without a word: error | skip (left out and counted).
        split: published: train against dev; test: train against the published test part, which papers report.
    """

    name = "sst5"
    folders = ("text/SST-5", "sst5", "SST-5")
    files = ("train.tsv", "dev.tsv")
    parts = (8_544, 1_101)
    class_names = ("very negative", "negative", "neutral", "positive", "very positive")
    address = "https://nlp.stanford.edu/sentiment"

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
        split: Literal["published", "test"] = "published",
    ) -> None:
        super().__init__(root, length, min_count, dim, vectors, split, empty)
        if split == "test":
            self.files, self.parts = ("train.tsv", "test.tsv"), (8_544, 2_210)

    def read(self, folder: Path) -> tuple[Sentences, Sentences]:
        train, test = (read_table(folder / file, "\t", 0, self.num_classes) for file in self.files)
        return train, test
