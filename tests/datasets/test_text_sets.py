"""The text data sets, from small tables in the published form."""

import csv

import numpy as np
import pytest
import torch

from snnlab.data.text_tables import read_table
from snnlab.datasets import SST2, SST5, Waimai
from snnlab.errors import DataError
from snnlab.packages import MissingPackageError

TRAIN = [("A good , good film .", 1), ("a bad film .", 0), ('" quoted " good', 1), ("once", 0)]
# "good", 'too slow, "really"', "very fast" and "tasty", the last two a word each
GOOD, SLOW, FAST, TASTY = "\u597d", '\u592a\u6162\u4e86,"\u771f\u7684"', "\u5f88\u5feb", "\u597d\u5403"
DEV = [("Good unheard film", 1), ("bad", 0)]


def write_tsv(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("sentence\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in rows))


@pytest.fixture
def root(tmp_path):
    for name in ("text/SST-2", "text/SST-5"):
        write_tsv(tmp_path / name / "train.tsv", TRAIN)
        write_tsv(tmp_path / name / "dev.tsv", DEV)
    return tmp_path


def words_of(dataset, samples, index):
    tokenizer = dataset._content[0]
    return [tokenizer.id_to_token(i) for i in samples[index][0].flatten().tolist()]


def test_sentences_become_indices_of_the_training_parts_vocabulary(root):
    pytest.importorskip("tokenizers")
    dataset = SST2(root, length=7)
    train, test = dataset.train_set(), dataset.test_set()
    assert train.labels.tolist() == [1, 0, 1, 0]
    assert test.labels.tolist() == [1, 0]
    raw, label = test[0]
    assert (raw.dtype, tuple(raw.shape), label) == (torch.int32, (1, 7, 1), 1)
    assert words_of(dataset, train, 0) == ["a", "good", "[UNK]", "good", "film", ".", "[PAD]"]
    assert words_of(dataset, train, 2) == ['"', "[UNK]", '"', "good", *["[PAD]"] * 3]
    assert words_of(dataset, test, 0) == ["good", "[UNK]", "film", *["[PAD]"] * 4]
    assert dataset.words.count == 2 + len({"a", "good", "film", ".", '"'})
    assert dataset.words.origin == "learned"
    x = dataset.decode(train.batch(range(4))[0])
    assert x.shape == (4, 1, 1, 7, 1)
    assert SST2(root, length=7, min_count=1).words.count > dataset.words.count


def test_long_sentences_are_cut_off(root):
    pytest.importorskip("tokenizers")
    dataset = SST2(root, length=2)
    assert words_of(dataset, dataset.train_set(), 0) == ["a", "good"]
    assert dataset.frame_shape == (2, 300)


def test_vectors_from_a_file(root):
    pytest.importorskip("tokenizers")
    file = root / "vectors.txt"
    file.write_text("good 1 2 3 4\nunheard 9 9 9 9\nbad -1 0 0 0\n")
    dataset = SST2(root, vectors=str(file))
    assert dataset.frame_shape == (25, 4)
    words = dataset.words
    good = dataset._content[0].token_to_id("good")
    assert words.vectors[good].diff().abs().min() > 0
    assert (
        words.origin == "vectors.txt, 1 of 5 words, fixed"
    )  # "bad" occurs once, "unheard" in no training sentence
    assert torch.equal(words.vectors[0], words.vectors[1])


def test_five_classes(root):
    assert SST5(root).num_classes == len(SST5.class_names) == 5
    assert SST5(root).status().samples == 6
    assert SST5(root).verify() == ["4 + 2 sentences to train and test, published are 8544 + 1101"]


@pytest.mark.parametrize("line", ["no label", "text\t2", "a\tb\t1", "text\t\u00b2", "text\t" + "0" * 5000])
def test_damaged_lines_are_named(root, line):
    with (root / "text/SST-2/train.tsv").open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")
    dataset = SST2(root)
    with pytest.raises(DataError, match=r"train\.tsv, line 6: expected a sentence and a class below 2"):
        dataset.prepare()
    assert not dataset.status().present
    assert "line 6" in dataset.verify()[0]


@pytest.fixture
def waimai(tmp_path):
    path = tmp_path / "text" / "waimai_10k.csv"
    path.parent.mkdir()
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("label", "review"))
        writer.writerows([(1, f"{GOOD} {n}") if n % 3 == 0 else (0, SLOW) for n in range(11_987)])
    return tmp_path


def test_waimai_is_split_by_the_committed_rows(waimai):
    dataset = Waimai(waimai)
    train, test = dataset.read(waimai / "text")
    assert (len(train.texts), len(test.texts)) == dataset.parts == (9_589, 2_398)
    assert dataset.verify() == []
    assert dataset.status().samples == 11_987
    assert test.texts[0].startswith(SLOW) == (int(test.labels[0]) == 0)
    assert SLOW in train.texts


def test_waimais_words_are_separated(waimai):
    pytest.importorskip("rjieba")
    assert Waimai(waimai).separate([FAST + TASTY]) == [f"{FAST} {TASTY}"]


def test_waimai_with_rows_missing_is_refused(waimai):
    path = waimai / "text" / "waimai_10k.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:5000]))
    with pytest.raises(DataError, match="held-out samples are missing"):
        Waimai(waimai).prepare()


def test_a_missing_package_says_how_to_install_it(root, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(MissingPackageError, match="text needs the package 'tokenizers'") as caught:
        SST2(root).prepare()
    assert "pip install -e '.[text]'" in caught.value.hint


def test_generated_sentences_tell_their_class(tmp_path):
    dataset = SST5(tmp_path / "none")
    samples = dataset.made_up(40, first=3)
    raw, labels = samples.batch(range(40))
    assert labels.tolist() == [(3 + i) % 5 for i in range(40)]
    for label in range(5):
        own = (raw[labels == label] >= 2 + 10 * label) & (raw[labels == label] < 12 + 10 * label)
        assert 0.4 < own.float().mean() < 0.65
    assert raw.max() < dataset.made_up_words().count
    assert np.array_equal(samples[5][0], dataset.made_up(9, first=3)[5][0])


def test_the_published_test_part(root):
    pytest.importorskip("tokenizers")
    write_tsv(root / "text/SST-5/test.tsv", [("a good film", 4), ("bad", 3), ("once", 2)])
    dataset = SST5(root, split="test")
    assert dataset.test_set().labels.tolist() == [4, 3, 2]
    assert SST5(root).test_set().labels.tolist() == [1, 0]
    assert dataset.verify() == ["4 + 3 sentences to train and test, published are 8544 + 2210"]


def test_a_first_sentence_is_no_header(root):
    pytest.importorskip("tokenizers")
    file = root / "text/SST-5/train.tsv"
    file.write_text(file.read_text().partition("\n")[2])
    assert len(SST5(root).train_set()) == 4


@pytest.mark.parametrize("start", ["\ufeff", ""])
@pytest.mark.parametrize("label", ["1", "1 ", " 1", "-1", "1.0"])
def test_a_first_line_with_a_number_is_no_header(tmp_path, start, label):
    file = tmp_path / "train.csv"
    file.write_text(f"{start}{label},one\n0,two\n", encoding="utf-8")
    if label == "1":
        assert read_table(file, ",", 1, 2).texts == ["one", "two"]
        assert read_table(file, ",", 1, 2).labels.tolist() == [1, 0]
    else:
        with pytest.raises(DataError, match="line 1: expected a sentence and a class below 2"):
            read_table(file, ",", 1, 2)


@pytest.mark.parametrize("start", ["\ufeff", ""])
def test_a_header_is_left_out(tmp_path, start):
    file = tmp_path / "train.csv"
    file.write_text(f"{start}label,review\n0,two\n", encoding="utf-8")
    assert read_table(file, ",", 1, 2).texts == ["two"]


def test_sentences_without_words_are_an_error_or_left_out_by_choice(root, caplog):
    pytest.importorskip("tokenizers")
    with (root / "text/SST-2/train.tsv").open("a", encoding="utf-8") as file:
        file.write("\t1\n\u3000 \t0\n")
    with pytest.raises(DataError, match="training sentence 5, training sentence 6: no word, in") as caught:
        SST2(root).prepare()
    assert "dataset.empty=skip" in caught.value.hint
    dataset = SST2(root, empty="skip")
    assert dataset.train_set().labels.tolist() == [1, 0, 1, 0]
    assert dataset.skipped == ("training sentence 5", "training sentence 6")
    assert "2 left out, no word" in caplog.text
