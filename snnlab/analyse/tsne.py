"""t-SNE of the features before the last layer, as the mean over the first steps (TWD Fig. 4, DS-ATGO Fig. 15)."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from snnlab.analyse.subject import Finding, Subject, table
from snnlab.data.track import track
from snnlab.errors import SnnlabError
from snnlab.metric_names import ACC
from snnlab.plots.embedding import plot_embedding


@torch.inference_mode()
def run(subject: Subject) -> Finding:
    """Embeds what the last linear layer is fed with, averaged over steps 1 to t, for some t."""
    from sklearn.manifold import TSNE
    from sklearn.metrics import silhouette_score

    options = subject.settings.tsne
    features_TBD, labels, right_T = _features(subject, options.samples)
    if 3 * options.perplexity >= len(labels):
        raise SnnlabError(
            f"tsne.perplexity: {options.perplexity:g} is too much for {len(labels)} samples",
            f"less than a third of the samples, for example tsne.perplexity={max(2, len(labels) // 10)}",
        )
    num_steps = len(features_TBD)
    steps = sorted({round(t) for t in np.linspace(1, num_steps, min(options.panels, num_steps))})
    embedded, separation = {}, {}
    for step in track(steps, len(steps), "t-SNE"):
        mean_BD = features_TBD[:step].mean(0)
        if np.ptp(mean_BD, axis=0).max() == 0:  # no spike has come so far
            embedded[step], separation[step] = np.zeros((len(labels), 2)), 0.0
            continue
        fit = TSNE(perplexity=options.perplexity, init="pca", random_state=options.seed)
        embedded[step] = fit.fit_transform(mean_BD)
        separation[step] = float(silhouette_score(mean_BD, labels)) if len(set(labels.tolist())) > 1 else 0.0
    picture = plot_embedding(
        embedded,
        labels,
        subject.path("tsne"),
        class_names=subject.stored.dataset.class_names,
        notes={step: f"acc {100 * right_T[step - 1]:.1f} %" for step in steps},
        title=subject.title,
    )
    found = table(
        f"mean features of steps 1 to t, {len(labels)} samples, {features_TBD.shape[2]} numbers each",
        "t",
        ACC.heading,
        "silhouette",
    )
    for step in steps:
        found.add_row(str(step), ACC.number(right_T[step - 1]), f"{separation[step]:.3f}")
    return Finding(picture, found)


def _features(subject: Subject, count: int) -> tuple[NDArray[np.float32], NDArray[np.int64], list[float]]:
    """Features [T, N, D], classes [N], and the share of samples that steps 1 to t get right, for each t."""
    seen: list[tuple[nn.Module, Tensor]] = []
    linear = [module for module in subject.model.modules() if isinstance(module, nn.Linear)]
    handles = [
        module.register_forward_hook(lambda module, args, _: seen.append((module, args[0])))
        for module in linear
    ]
    features, labels, right = [], [], []
    try:
        for x_TBCHW, target_B in subject.batches("features", count):
            seen.clear()
            logits_TBK = subject.model(x_TBCHW)
            if not seen:
                raise SnnlabError(
                    f"tsne: {subject.cfg.model.name} has no linear layer whose input could be shown",
                    "analyse another run",
                )
            shape = logits_TBK.shape[:2]
            features.append(seen[-1][1].reshape(*shape, -1).float().cpu())
            labels.append(target_B.cpu())
            right.append((logits_TBK.cumsum(0).argmax(-1) == target_B).cpu())
    finally:
        for handle in handles:
            handle.remove()
    right_T = torch.cat(right, 1).double().mean(1).tolist()
    return torch.cat(features, 1).numpy(), torch.cat(labels).numpy(), right_T
