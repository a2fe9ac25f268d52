"""Labels are checked when a data set is opened, for every set."""

import numpy as np
import pytest

from snnlab.data.dataset import LabelledData
from snnlab.data.sample_sets import ArraySet
from snnlab.errors import DataError


class Labels(LabelledData):
    num_classes = 3
    class_names = ("a", "b", "c")

    def __init__(self, *labels):
        self.labels = np.array(labels, np.int64)

    def _train_set(self):
        return ArraySet(np.zeros((len(self.labels), 1), np.uint8), self.labels)


@pytest.mark.parametrize(
    ("labels", "message"),
    [((1, 2, 3), "from 1 to 3"), ((-1, 0), "from -1 to 0"), ((), "no training samples")],
)
def test_labels_outside_of_the_classes_are_an_error(labels, message):
    with pytest.raises(DataError, match=message):
        Labels(*labels).train_set()


def test_right_labels_pass():
    assert len(Labels(0, 1, 2).train_set()) == 3


def test_a_class_without_samples_is_reported_once(caplog):
    dataset = Labels(0, 2, 2)
    for _ in range(3):
        dataset.train_set()
    assert [record.message for record in caplog.records] == ["no training samples of class 'b' of 3"]
