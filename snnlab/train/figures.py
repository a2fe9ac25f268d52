"""The plots of a finished run: training curves, calibration, a sample's input, spikes and firing rates."""

from collections.abc import Sequence
from pathlib import Path

import torch

from snnlab.metric_names import known_at_each_step
from snnlab.metrics import Recorder
from snnlab.plots.curves import plot_curves
from snnlab.plots.firing_rates import plot_firing_rates
from snnlab.plots.frames import plot_frames
from snnlab.plots.loss_trends import plot_loss_trends
from snnlab.plots.over_time import plot_over_time
from snnlab.plots.raster import plot_raster
from snnlab.plots.reliability import plot_reliability
from snnlab.tmc_fixed_points import fixed_points_of
from snnlab.train.session import Session


def draw(session: Session) -> list[Path]:
    """Writes the PNG files of a run that has been evaluated; returns their paths."""
    evaluation, folder = session.evaluation, session.files.plots
    assert evaluation is not None
    rows = session.files.read_metrics()
    title = f"{session.cfg.experiment}, seed {session.cfg.seed}"
    paths = [
        plot_curves(rows, folder / "curves.png", title=title),
        plot_loss_trends(rows, folder / "loss_trends.png", title=title),
        plot_over_time(evaluation.prefixed("test"), folder / "over_time.png", title=title),
        plot_reliability(
            evaluation.reliability["cum"],
            folder / "reliability.png",
            settles=_settles(session, len(evaluation.reliability["cum"]["count"])),
            title=title,
        ),
    ]
    rates = evaluation.rates
    if rates:
        all_neurons = known_at_each_step(evaluation.metrics, "firing_rate")
        rates = {**rates, "all neurons": list(all_neurons.values())}
        paths.append(plot_firing_rates(rates, folder / "firing_rates.png", title=title))
    return paths + _draw_sample(session, title)


def _settles(session: Session, num_steps: int) -> Sequence[float]:
    """The cumulative confidence of each step at which the run's loss settles; empty if nothing is known of it."""
    loss = session.cfg.loss
    found = fixed_points_of(loss.name, loss.params, num_steps, session.dataset.num_classes)
    return () if found is None else found.cumulative


@torch.inference_mode()
def _draw_sample(session: Session, title: str) -> list[Path]:
    """The first test sample: its frames (not of text) with the cumulative predictions, and some layers' spikes."""
    folder, names = session.files.plots, session.dataset.class_names
    raw, target = session.samples.test_set.batch([0])
    model = session.learner.model.eval()
    with Recorder(model) as recorder:
        recorder.request_spikes()
        logits_TBK = model(session.pipeline.test(raw))
    predictions = [names[k] for k in logits_TBK[:, 0].float().cumsum(0).argmax(-1).tolist()]
    paths = []
    if not session.dataset.reads_words:
        frames_TCHW = session.dataset.decode(raw.to(session.pipeline.device))[0].cpu().numpy()
        label = names[int(target[0])]
        paths.append(plot_frames(frames_TCHW, folder / "frames.png", label=label, predictions=predictions))
    if recorder.spikes:
        spikes = {layer: output.float().cpu().numpy() for layer, output in recorder.spikes.items()}
        paths.append(plot_raster(spikes, folder / "raster.png", title=title))
    return paths
