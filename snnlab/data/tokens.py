"""Sentences as indices of words.

Shapes: N sentences, L words of a sentence.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnlab.data.words import SEPARATOR
from snnlab.packages import need


def make_tokenizer(texts: Sequence[Sequence[str]], min_count: int, length: int) -> Any:
    """Splits at blanks, in lower case, and knows the words of these texts.

    Args:
        texts: all sentences, or the first and the second ones of pairs.
        min_count: number of occurrences below which a word is the unknown word.
        length: number of words of a sentence or pair.
    """
    need("tokenizers", "text")
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.WordLevelTrainer(
        vocab_size=10_000_000,
        min_frequency=min_count,
        special_tokens=["[PAD]", "[UNK]", *["[SEP]"] * (len(texts) - 1)],
        show_progress=False,
    )
    tokenizer.train_from_iterator(chain(*texts), trainer)
    if len(texts) > 1:
        tokenizer.post_processor = processors.TemplateProcessing(
            single="$A", pair="$A [SEP] $B", special_tokens=[("[SEP]", SEPARATOR)]
        )
    tokenizer.enable_truncation(length)
    tokenizer.enable_padding(length=length, pad_id=0, pad_token="[PAD]")
    return tokenizer


def word_indices(tokenizer: Any, texts: Sequence[Sequence[str]]) -> NDArray[np.int32]:
    """Word indices [N, 1, L, 1] of sentences, or of pairs."""
    samples = list(zip(*texts, strict=True)) if len(texts) > 1 else list(texts[0])
    rows = np.array([encoding.ids for encoding in tokenizer.encode_batch(samples)], np.int32)
    return rows[:, None, :, None]
