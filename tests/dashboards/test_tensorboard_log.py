"""What TensorBoard reads of a run."""

import pytest
from PIL import Image

from snnlab.dashboards.tensorboard_log import TensorBoardLog

accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")


def read(folder):
    found = accumulator.EventAccumulator(str(folder / "tensorboard"))
    found.Reload()
    return found


def test_rows_series_table_and_pictures(tmp_path):
    log = TensorBoardLog(tmp_path, continues=False)
    log.row({"step": 20, "epoch": 1, "split": "test", "test/acc": 0.5, "test/acc_cum/t1": 0.25})
    log.series("over_time/acc", [1, 2], {"single step": [0.25, None], "cumulative mean": [0.25, 0.5]})
    log.table("over_time/table", ["time_step", "acc_cum"], [[1, 0.25], [2, None]])
    Image.new("RGB", (4, 4)).save(tmp_path / "curves.png")
    log.pictures([tmp_path / "curves.png"])
    log.summary({"best/test/acc": 0.5})
    log.finish("preempted")
    again = TensorBoardLog(tmp_path, continues=True)
    again.row({"step": 40, "epoch": 2, "split": "test", "test/acc": 0.75})
    again.finish("done")
    found = read(tmp_path)
    assert [(one.step, one.value) for one in found.Scalars("test/acc")] == [(20, 0.5), (40, 0.75)]
    assert [one.step for one in found.Scalars("over_time/acc/single_step")] == [1]
    assert [(one.step, one.value) for one in found.Scalars("over_time/acc/cumulative_mean")] == [
        (1, 0.25),
        (2, 0.5),
    ]
    assert "test/acc_cum/t1" not in found.Tags()["scalars"]
    assert found.Tags()["images"] == ["plots/curves"]
    assert b"0.25" in found.Tensors("over_time/table/text_summary")[0].tensor_proto.string_val[0]
    assert "summary/text_summary" in found.Tags()["tensors"]


def test_a_run_begun_anew_removes_its_earlier_events(tmp_path):
    for step in (1, 2):
        log = TensorBoardLog(tmp_path, continues=False)
        log.row({"step": step, "test/acc": 0.5})
        log.finish("done")
    assert [one.step for one in read(tmp_path).Scalars("test/acc")] == [2]
