"""Words as spikes: probabilities, draws that can be repeated, steps, gradients."""

import pytest
import torch

from snnlab.layers.embedding import Embedded, WordSpikes
from snnlab.layers.streaming import Streaming
from snnlab.metrics import Recorder
from snnlab.models import TextCNNSNN
from snnlab.neurons import LIF
from snnlab.norms import BN

WORDS = torch.tensor([[2, 3, 4, 5, 0, 0], [5, 5, 1, 2, 3, 4]])


def shown(words_BL, num_steps):
    """As the input pipeline gives them, [T, B, 1, L, 1]."""
    return words_BL.float()[:, None, :, None].expand(num_steps, -1, -1, -1, -1)


def coder(dim=4, vectors=None):
    torch.manual_seed(0)
    return WordSpikes(6, dim, vectors)


def test_rates_are_standardised_clipped_and_mapped():
    vectors = torch.tensor([[9.0, 9], [0, 0], [-3, 3], [-4, 4], [1.5, -1.5], [0.3, -0.6]])
    rates = coder(2, vectors).rates(torch.arange(6))
    expected = [[0, 0], [0.5, 0.5], [0, 1], [0, 1], [0.75, 0.25], [0.55, 0.4]]
    torch.testing.assert_close(rates, torch.tensor(expected))


def test_learned_ones_start_standard_normal():
    z = (WordSpikes(400, 300).rates(torch.arange(1, 400)) * 6 - 3).detach()
    assert z.mean().abs() < 0.02
    assert z.std() == pytest.approx(0.99, abs=0.02)  # a little less than 1 by the clipping


@pytest.mark.parametrize("training", [True, False])
def test_spikes_come_at_their_rate_and_independently(training):
    embedding = coder(40).train(training)
    with torch.no_grad():
        spikes = embedding(shown(WORDS, 2000))
        rates = embedding.rates(WORDS)
    assert spikes.shape == (2000, 2, 1, 6, 40)
    assert set(spikes.unique().tolist()) == {0, 1}
    assert (spikes[:, 0, 0, 4:] == 0).all()
    s, p = spikes.squeeze(2), rates
    error = (s.mean(0) - p) / (p * (1 - p) / 2000).sqrt().clamp(min=1e-9)
    fires = p > 0
    assert error[fires].abs().max() < 5
    assert error[fires].square().mean() == pytest.approx(1, abs=0.25)
    z = ((s - p) / (p * (1 - p)).sqrt().clamp(min=1e-9)).flatten(1)[:, fires.flatten()]
    correlation = (z.T @ z / 2000).fill_diagonal_(0)
    assert correlation.square().mean().sqrt() == pytest.approx(2000**-0.5, rel=0.1)
    assert correlation.abs().max() < 0.15
    lagged = (z[1:] * z[:-1]).mean()
    assert abs(lagged) < 5 / (2000 * z.shape[1]) ** 0.5


def test_evaluation_depends_on_sentence_and_step_only():
    embedding = coder().eval()
    both = embedding(shown(WORDS, 8))
    torch.rand(3)
    assert torch.equal(embedding(shown(WORDS, 8)), both)
    assert torch.equal(embedding(shown(WORDS.flip(0), 8)).flip(1), both)
    assert torch.equal(embedding(shown(WORDS[1:], 8)), both[:, 1:])
    assert torch.equal(embedding(shown(WORDS, 3)), both[:3])
    first, state = embedding.forward_with_state(shown(WORDS, 3))
    rest, _ = embedding.forward_with_state(shown(WORDS, 5), state)
    assert torch.equal(torch.cat([first, rest]), both)


def test_training_draws_anew_from_torchs_generator():
    embedding = coder().train()
    torch.manual_seed(1)
    one, other = embedding(shown(WORDS, 20)), embedding(shown(WORDS, 20))
    assert not torch.equal(one, other)
    torch.manual_seed(1)
    assert torch.equal(embedding(shown(WORDS, 20)), one)


def test_the_gradient_goes_straight_through():
    embedding = coder().train()
    weights = torch.randn(7, 2, 1, 6, 4)
    (embedding(shown(WORDS, 7)) * weights).sum().backward()
    found = embedding.weight.grad
    embedding.weight.grad = None
    (embedding.rates(WORDS) * weights.sum(0).squeeze(1)).sum().backward()
    torch.testing.assert_close(found, embedding.weight.grad)
    assert (found[0] == 0).all()
    assert found[2].abs().min() > 0


def test_fixed_vectors_are_no_parameters_but_saved():
    embedding = coder(2, torch.zeros(6, 2))
    assert list(embedding.parameters()) == []
    assert "weight" in embedding.state_dict()
    assert "fixed" in repr(embedding)


def test_a_network_that_reads_runs_in_steps_and_can_be_watched():
    torch.manual_seed(0)
    network = TextCNNSNN(lambda **o: LIF(threshold=0.3), BN, 1, 3, (6, 4), filters=8, pool="avg")
    model = Embedded(coder(), network).eval()
    x = shown(WORDS, 6)
    with torch.no_grad():
        with Recorder(model) as recorder:
            whole = model(x)
        with Streaming(model) as stream:
            steps = []
            for t in range(6):
                steps.append(stream(x[t] if t < 3 else x[t, 1:]))
                if t == 2:
                    stream.keep(torch.tensor([1]))
    for t in range(6):
        torch.testing.assert_close(steps[t], whole[t] if t < 3 else whole[t, 1:])
    assert whole.std(0).min() > 0
    assert "embedding" in recorder.layers


def test_sentences_that_are_too_short_are_refused():
    with pytest.raises(ValueError, match="see 1 to 4 words"):
        TextCNNSNN(LIF, BN, 1, 2, (4, 10))
