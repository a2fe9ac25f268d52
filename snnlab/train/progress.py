"""Shows the progress of a run: a bar on a terminal, otherwise one plain line per interval.

Everything goes to stderr, so that stdout holds results only. Losses and counts arrive as tensors and are
summed on their device; reading them waits for the device, so it happens at most twice a second, and once per
plain line.
"""

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Literal, Self

import torch
from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text
from torch import Tensor

from snnlab.duration import duration
from snnlab.metric_names import ACC, ECE, LOSS

Mode = Literal["auto", "bar", "plain", "none"]

BAR_SECONDS = 0.5
PLAIN_SECONDS = 30.0


class Progress:
    """Progress of a whole run, as a context manager.

    Args:
        mode: "auto" is a bar if stderr is a terminal and plain lines otherwise; "none" shows nothing.
        total_epochs: epochs of the whole run.
        batches_per_epoch: training batches per epoch.
        batch_size: samples per full batch.
        start_epoch: epochs done before this process started (0 in a fresh run).
        start_batch: batches of the current epoch done before this process started.
        console: where to write; default stderr.
        clock: seconds from any origin, for tests.
    """

    def __init__(
        self,
        mode: Mode,
        total_epochs: int,
        batches_per_epoch: int,
        batch_size: int,
        start_epoch: int = 0,
        start_batch: int = 0,
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console or Console(stderr=True, highlight=False)
        self._mode = _resolve(mode, self._console)
        self._total_epochs = total_epochs
        self._batches_per_epoch = batches_per_epoch
        self._epoch = start_epoch
        self._batch = start_batch
        epochs = "1 epoch" if total_epochs == 1 else f"{total_epochs} epochs"
        self._plan = f"{epochs} of {batches_per_epoch} batches of {batch_size}"
        self._clock = clock
        self._batches_here = 0
        self._first_batch_at = 0.0
        self._status = ""
        self._live: Live | None = None
        self._start_epoch_sums(clock())
        self._refreshed_at = clock()

    def __enter__(self) -> Self:
        resumed = self._epoch or self._batch
        place = f", going on at epoch {self._epoch + 1}, batch {self._batch + 1}" if resumed else ""
        self.message(self._plan + place)
        if self._mode == "bar":
            # No refresh thread: it would be alive while the loader forks its workers.
            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()
            self._show()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def advance(self, loss: Tensor, correct: Tensor, count: int) -> None:
        """Counts one training batch.

        Args:
            loss: mean loss of the batch, a scalar on any device.
            correct: how many samples were right, a scalar on the same device.
            count: samples in the batch.
        """
        self._batch += 1
        self._batches_here += 1
        if self._batches_here == 1:
            self._first_batch_at = self._clock()
        if self._mode == "none":
            return
        now = self._clock()
        self._add(loss, correct, count)
        self._last_advance_at = now
        if now - self._refreshed_at >= (BAR_SECONDS if self._mode == "bar" else PLAIN_SECONDS):
            self._read_sums()
            self._refreshed_at = now
            if self._mode == "bar":
                self._show()
            else:
                self.message(self._plain_line())

    def status(self, text: str) -> None:
        """Shows on the bar what runs between batches ("evaluating 3/20"); prints nothing without a terminal."""
        now = self._clock()
        due = not self._status or now - self._refreshed_at >= BAR_SECONDS
        self._status = text
        if self._mode == "bar" and due:
            self._refreshed_at = now
            self._show()

    def epoch_end(self, row: Mapping[str, float]) -> str:
        """Prints and returns the line of a finished epoch, and starts the next one.

        Args:
            row: flat metrics, of which those among `train/loss`, `train/acc`, `test/loss`, `test/acc`,
                `test/ece` and `test/time_steps` that are there are shown.
        """
        self._epoch += 1
        self._batch = 0
        now = self._clock()
        shown = [f"{label} {form(row[key])}" for key, label, form in _SHOWN if key in row]
        self._status = ""
        line = "  ".join((self._epoch_name(self._epoch), *shown, duration(now - self._epoch_started_at)))
        self.message(line)
        self._start_epoch_sums(now)
        self._refreshed_at = now
        if self._mode == "bar" and self._epoch < self._total_epochs:
            self._show()
        return line

    def message(self, text: str) -> None:
        """Writes a line; on a terminal, above the bar."""
        if self._mode != "none":
            self._console.print(text, soft_wrap=True, markup=False)

    def eta_seconds(self) -> float | None:
        """Seconds to the end of the run at the mean speed so far, evaluations included; None without a speed.

        The first batch is left out of the speed: compilation and cold caches make it slow.
        """
        if self._batches_here < 2:
            return None
        per_batch = (self._clock() - self._first_batch_at) / (self._batches_here - 1)
        remaining = (self._total_epochs - self._epoch) * self._batches_per_epoch - self._batch
        return per_batch * max(remaining, 0)

    def samples_per_second(self) -> float | None:
        """Training speed in the current epoch, evaluations left out; None before there is one."""
        seconds = self._last_advance_at - self._epoch_started_at
        return self._samples / seconds if seconds > 0 and self._samples else None

    def _start_epoch_sums(self, now: float) -> None:
        self._epoch_started_at = self._last_advance_at = now
        self._samples = 0
        self._sums_2: Tensor | None = None
        self._loss: float | None = None
        self._accuracy: float | None = None

    def _add(self, loss: Tensor, correct: Tensor, count: int) -> None:
        batch_2 = torch.stack((loss.detach().float() * count, correct.detach().float()))
        self._sums_2 = batch_2 if self._sums_2 is None else self._sums_2 + batch_2
        self._samples += count

    def _read_sums(self) -> None:
        if self._sums_2 is not None:
            loss_sum, correct_sum = self._sums_2.tolist()
            self._loss = loss_sum / self._samples
            self._accuracy = correct_sum / self._samples

    def _epoch_name(self, number: int) -> str:
        width = len(str(self._total_epochs))
        return f"epoch {number:{width}d}/{self._total_epochs}"

    def _facts(self) -> list[str]:
        """The texts about the current epoch, the most important first."""
        facts = []
        if self._loss is not None and self._accuracy is not None:
            facts += [f"{LOSS.label} {LOSS.number(self._loss)}", f"{ACC.key} {percent(self._accuracy)}"]
        if (eta := self.eta_seconds()) is not None:
            facts.append(f"ETA {duration(eta)}")
        if (speed := self.samples_per_second()) is not None:
            facts.append(f"{speed:,.0f} samples/s")
        if self._sums_2 is not None and self._sums_2.is_cuda:
            facts.append(f"{torch.cuda.max_memory_allocated(self._sums_2.device) / 2**30:.1f} GiB")
        return facts

    def _plain_line(self) -> str:
        place = f"{self._epoch_name(self._epoch + 1)}  batch {self._batch}/{self._batches_per_epoch}"
        return "  ".join((place, *self._facts()))

    def _show(self) -> None:
        if self._live is not None:
            self._live.update(self._bar(self._console.width), refresh=True)

    def _bar(self, width: int) -> RenderableType:
        """One line that fits the terminal: the bar shrinks, then the texts are dropped from the last."""
        name = self._epoch_name(min(self._epoch + 1, self._total_epochs))
        place = f"{self._batch:{len(str(self._batches_per_epoch))}d}/{self._batches_per_epoch}"
        facts = [self._status] if self._status else self._facts()
        bar_width = 24 if width >= 110 else 12
        free = width - len(name) - len(place) - 3
        cells: list[RenderableType] = [Text(name, style="bold"), Text(place)]
        if width >= 72:
            free -= bar_width + 2
            bar = ProgressBar(total=self._batches_per_epoch, completed=self._batch, width=bar_width)
            cells.insert(1, bar)
        while facts and sum(len(fact) + 2 for fact in facts) > free:
            facts.pop()
        cells += [Text(fact, style="cyan" if index < 2 else "dim") for index, fact in enumerate(facts)]
        line = Table.grid(padding=(0, 2, 0, 0))
        line.add_row(*cells)
        return line


def percent(fraction: float) -> str:
    """0.8312 -> " 83.1 %", six characters for any fraction."""
    return f"{100 * fraction:5.1f} %"


def _resolve(mode: Mode, console: Console) -> Literal["bar", "plain", "none"]:
    if mode != "auto":
        return mode
    return "bar" if console.file.isatty() and not console.is_dumb_terminal else "plain"


_SHOWN: tuple[tuple[str, str, Callable[[float], str]], ...] = (
    ("train/loss", LOSS.label, LOSS.number),
    ("train/acc", ACC.key, percent),
    ("test/loss", f"test {LOSS.label}", LOSS.number),
    ("test/acc", f"test {ACC.key}", percent),
    ("test/ece", ECE.label, ECE.number),
    ("test/time_steps", "mean T", "{:.2f}".format),
)
