"""The progress display: what it says, when it reads tensors, how it fits the terminal."""

import io

import pytest
import torch
from rich.console import Console

from snnlab.train.progress import BAR_SECONDS, PLAIN_SECONDS, Progress, percent


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def console(width: int = 120, terminal: bool = False) -> Console:
    file = Terminal() if terminal else io.StringIO()
    return Console(file=file, width=width, force_terminal=terminal, highlight=False, color_system=None)


def text(out: Console) -> str:
    return out.file.getvalue()


def advance(progress: Progress, clock: Clock, batches: int, seconds: float = 1.0, loss: float = 0.5) -> None:
    for _ in range(batches):
        clock.now += seconds
        progress.advance(torch.tensor(loss), torch.tensor(6), 8)


def plain(total_epochs: int = 3, batches: int = 50, **options):
    clock, out = Clock(), console()
    return Progress("plain", total_epochs, batches, 8, console=out, clock=clock, **options), clock, out


def test_auto_is_plain_without_a_terminal_and_a_bar_on_one():
    for terminal in (False, True):
        out, clock = console(terminal=terminal), Clock()
        with Progress("auto", 2, 10, 8, console=out, clock=clock) as progress:
            advance(progress, clock, 4)
        assert ("\x1b[" in text(out)) == terminal


def test_plain_writes_one_line_per_interval():
    progress, clock, out = plain()
    with progress:
        advance(progress, clock, 49)
    lines = text(out).splitlines()
    assert lines[0] == "3 epochs of 50 batches of 8"
    assert len(lines) == 1 + int(49 / PLAIN_SECONDS)
    assert lines[1].startswith("epoch 1/3  batch 30/50  loss 0.5000  acc  75.0 %  ETA 2:00  8 samples/s")


def test_epoch_line_shows_the_known_metrics_only():
    progress, clock, out = plain()
    with progress:
        advance(progress, clock, 5)
        clock.now += 3
        progress.epoch_end(
            {"train/loss": 0.25, "train/acc": 0.5, "test/acc": 1.0, "test/acc_cum/t3": 0.1, "x": 2.0}
        )
    assert text(out).splitlines()[-1] == "epoch 1/3  loss 0.2500  acc  50.0 %  test acc 100.0 %  8.0 s"


def test_eta_counts_what_is_left_and_the_evaluations():
    progress, clock, _ = plain(total_epochs=4, batches=10)
    with progress:
        assert progress.eta_seconds() is None
        clock.now += 100
        advance(progress, clock, 1)
        assert progress.eta_seconds() is None
        advance(progress, clock, 9, seconds=2.0)
        assert progress.eta_seconds() == pytest.approx(2.0 * 30)
        clock.now += 9
        progress.epoch_end({})
        assert progress.eta_seconds() == pytest.approx((18 + 9) / 9 * 30)


def test_a_resumed_run_starts_in_the_middle():
    progress, clock, out = plain(total_epochs=4, batches=10, start_epoch=2, start_batch=6)
    with progress:
        advance(progress, clock, 3)
        assert progress.eta_seconds() == pytest.approx(11)
        progress.epoch_end({})
    assert "going on at epoch 3, batch 7" in text(out)
    assert text(out).splitlines()[-1].startswith("epoch 3/4")


def test_speed_is_that_of_training_alone():
    progress, clock, _ = plain()
    with progress:
        assert progress.samples_per_second() is None
        advance(progress, clock, 4, seconds=2.0)
        clock.now += 50
        assert progress.samples_per_second() == pytest.approx(4)


def test_accuracy_and_loss_are_means_over_samples():
    progress, clock, out = plain()
    with progress:
        progress.advance(torch.tensor(1.0), torch.tensor(1), 1)
        clock.now += PLAIN_SECONDS
        progress.advance(torch.tensor(0.2), torch.tensor(0), 3)
    assert "loss 0.4000  acc  25.0 %" in text(out)


@pytest.mark.parametrize(("mode", "interval"), [("bar", BAR_SECONDS), ("plain", PLAIN_SECONDS)])
def test_tensors_are_read_at_the_refresh_rate_only(mode, interval, monkeypatch):
    reads = 0
    original = torch.Tensor.tolist

    def counted(tensor):
        nonlocal reads
        reads += 1
        return original(tensor)

    def forbidden(tensor):
        raise AssertionError("read outside of a refresh")

    monkeypatch.setattr(torch.Tensor, "tolist", counted)
    for name in ("item", "__float__", "__int__", "__bool__", "cpu", "numpy"):
        monkeypatch.setattr(torch.Tensor, name, forbidden)
    clock = Clock()
    with Progress(mode, 1, 1000, 8, console=console(terminal=mode == "bar"), clock=clock) as progress:
        advance(progress, clock, 1000, seconds=interval / 100)
    assert reads in (9, 10)


def test_the_graph_is_not_kept():
    progress, _, _ = plain()
    weight = torch.ones((), requires_grad=True)
    progress.advance(weight * 2, torch.tensor(1), 2)
    assert not progress._sums_2.requires_grad


@pytest.mark.parametrize("width", [30, 45, 60, 80, 100, 140])
def test_bar_fits_the_terminal(width):
    clock, out = Clock(), console(width, terminal=True)
    with Progress("bar", 300, 1234, 64, 0, 600, out, clock) as progress:
        advance(progress, clock, 20)
        probe = console(width)
        probe.print(progress._bar(width))
    (line,) = text(probe).splitlines()
    assert len(line) <= width
    assert "epoch   1/300" in line
    assert "620/1234" in line
    assert "…" not in line
    assert ("loss" in line) == (width >= 45)
    assert ("━" in line) == (width >= 72)
    assert ("samples/s" in line) == (width >= 100)


def test_bar_tells_what_happens_between_batches():
    clock, out = Clock(), console(terminal=True)
    with Progress("bar", 2, 10, 8, console=out, clock=clock) as progress:
        progress.status("evaluating 1/9")
        progress.epoch_end({"test/acc": 0.5})
    assert "evaluating 1/9" in text(out)
    assert "epoch 1/2  test acc  50.0 %" in text(out)


def test_terminal_is_restored_after_an_error():
    out = console(terminal=True)
    with pytest.raises(KeyboardInterrupt), Progress("bar", 2, 10, 8, console=out, clock=Clock()):
        raise KeyboardInterrupt
    assert text(out).count("\x1b[?25l") == text(out).count("\x1b[?25h") == 1


def test_none_is_silent():
    clock, out = Clock(), console()
    with Progress("none", 2, 10, 8, console=out, clock=clock) as progress:
        advance(progress, clock, 100)
        progress.status("evaluating")
        progress.message("hello")
        line = progress.epoch_end({"test/acc": 0.5})
    assert text(out) == ""
    assert line.startswith("epoch 1/2  test acc  50.0 %  "), "the log file has it all the same"


def test_message_is_printed_as_it_is():
    progress, _, out = plain()
    with progress:
        progress.message("saved [bold]x[/bold] " + "y" * 200)
    assert "saved [bold]x[/bold] " + "y" * 200 in text(out)


def test_writes_to_stderr_by_default(capsys):
    with Progress("plain", 1, 1, 1) as progress:
        progress.message("here")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "here" in captured.err


def test_percent_has_constant_width():
    assert [percent(value) for value in (0.0, 0.8312, 1.0)] == ["  0.0 %", " 83.1 %", "100.0 %"]
