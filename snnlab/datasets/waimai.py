"""Waimai: Chinese reviews of a food delivery service."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from snnlab.data.splits import committed
from snnlab.data.text_data import Sentences, TextData
from snnlab.data.text_tables import read_table
from snnlab.packages import need
from snnlab.ranges import PositiveInt


class Waimai(TextData):
    """Waimai-10k: 11,987 Chinese reviews of a delivery service, 4,000 of them positive; no published split.

    `waimai_10k.csv` with the columns label and review, under `text` or `waimai` in the data folder. jieba's algorithm
    and dictionary (the package rjieba) separate the words.

    Seven texts occur twice, once in each class. They all stay, as the published number counts them, on the
    training side, so no held-out text is among the training texts, and no held-out text has two labels.

    Args:
        root: folder of all data sets.
        num_steps: unused, the sentence is repeated at every step.
        length: words of a review; longer ones are cut off. At 32 these are 11 %.
        min_count: a word that occurs less often in training is the unknown word.
        dim: numbers of a word's vector, where it is learned.
        vectors: file of word vectors (GloVe, word2vec as text); null: learned with the network.
        empty: sentences without a word: error | skip (left out and counted).
        split: stratified80_seed0: 9,589 to train, 2,398 held out, the same share of each class.
    """

    name = "waimai"
    folders = ("text", "waimai")
    files = ("waimai_10k.csv",)
    columns = ("label", "review")
    parts = (9_589, 2_398)
    class_names = ("negative", "positive")
    address = "https://github.com/SophonPlus/ChineseNlpCorpus"

    def __init__(
        self,
        root: Path,
        num_steps: int = 50,
        *,
        length: PositiveInt = 32,
        min_count: PositiveInt = 2,
        dim: PositiveInt = 300,
        vectors: str | None = None,
        empty: Literal["error", "skip"] = "error",
        split: Literal["stratified80_seed0"] = "stratified80_seed0",
    ) -> None:
        super().__init__(root, length, min_count, dim, vectors, split, empty)

    def read(self, folder: Path) -> tuple[Sentences, Sentences]:
        both = read_table(folder / self.files[0], ",", 1, self.num_classes)
        names = [f"{number:05d}" for number in range(len(both.texts))]
        split = committed(f"waimai-{self.split_name}.txt", names)
        train, test = (
            Sentences([both.texts[i] for i in index], both.labels[index])
            for index in (split.train, split.test)
        )
        return train, test

    def separate(self, texts: Sequence[str]) -> list[str]:
        need("rjieba", "Chinese text")
        import rjieba

        return [" ".join(rjieba.cut(text)) for text in texts]
