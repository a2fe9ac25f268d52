"""The optimisers take the same steps as PyTorch's, and decay what they are told to."""

import pytest
import torch
from torch import nn

from snnlab.neurons import QuantReLU
from snnlab.optimizers import SGD, Adam, AdamW, Lamb

CASES = [
    (SGD, torch.optim.SGD, {"lr": 0.05, "momentum": 0.8, "weight_decay": 0.01, "nesterov": True}, {}),
    (Adam, torch.optim.Adam, {"lr": 0.002, "eps": 1e-6, "weight_decay": 0.01}, {"beta1": 0.8, "beta2": 0.99}),
    (
        AdamW,
        torch.optim.AdamW,
        {"lr": 0.002, "eps": 1e-6, "weight_decay": 0.1},
        {"beta1": 0.8, "beta2": 0.99},
    ),
]
ALL = [SGD, Adam, AdamW, Lamb]


class Net(nn.Module):
    def __init__(self, seed=0):
        super().__init__()
        torch.manual_seed(seed)
        self.conv = nn.Conv2d(1, 3, 3)
        self.norm = nn.BatchNorm2d(3)
        self.leak = nn.Parameter(torch.tensor(0.5))
        self.head = nn.Linear(3, 2)

    def forward(self, x):
        return self.head(self.norm(self.conv(x)).mul(self.leak).mean((2, 3)))


def train(model, optimizer, steps=4, seed=1):
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.randn(5, 1, 6, 6, generator=generator).to(model.leak.dtype)).square().sum().backward()
        optimizer.step()
    return [param.detach().clone() for param in model.parameters()]


@pytest.mark.parametrize(("ours", "theirs", "options", "betas"), CASES)
def test_steps_equal_those_of_torch(ours, theirs, options, betas):
    model, reference = Net(), Net()
    torch_betas = {"betas": tuple(betas.values())} if betas else {}
    found = train(model, ours(model, **options, **betas))
    expected = train(reference, theirs(reference.parameters(), **options, **torch_betas))
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize(("ours", "theirs", "options", "betas"), CASES)
def test_steps_without_decay_of_norm_and_bias_equal_those_of_torch_with_groups(ours, theirs, options, betas):
    model, reference = Net(), Net()
    found = train(model, ours(model, decay_norm_and_bias=False, **options, **betas))
    torch_betas = {"betas": tuple(betas.values())} if betas else {}
    decayed = [reference.conv.weight, reference.head.weight]
    kept = [reference.leak, reference.conv.bias, reference.head.bias, *reference.norm.parameters()]
    groups = [{"params": decayed}, {"params": kept, "weight_decay": 0.0}]
    expected = train(reference, theirs(groups, **options, **torch_betas))
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize("cls", ALL)
def test_every_trainable_parameter_is_in_one_group(cls):
    model = Net()
    model.head.bias.requires_grad_(False)
    for decay_norm_and_bias, sizes in ((True, [6]), (False, [2, 4])):
        optimizer = cls(model, weight_decay=0.1, decay_norm_and_bias=decay_norm_and_bias)
        assert [len(group["params"]) for group in optimizer.param_groups] == sizes
        assert [group["weight_decay"] for group in optimizer.param_groups] == [0.1, 0.0][: len(sizes)]


@pytest.mark.parametrize("cls", ALL)
def test_a_group_without_parameters_is_left_out(cls):
    (group,) = cls(nn.Linear(2, 2, bias=False), weight_decay=0.1, decay_norm_and_bias=False).param_groups
    assert group["weight_decay"] == 0.1
    (group,) = cls(nn.BatchNorm1d(2), weight_decay=0.1, decay_norm_and_bias=False).param_groups
    assert group["weight_decay"] == 0.0


@pytest.mark.parametrize("cls", ALL)
@pytest.mark.parametrize("decay_norm_and_bias", [True, False])
def test_a_restored_optimiser_continues_exactly(cls, decay_norm_and_bias):
    options = {"lr": 0.01, "weight_decay": 0.01, "decay_norm_and_bias": decay_norm_and_bias}
    whole = Net()
    optimizer = cls(whole, **options)
    train(whole, optimizer, seed=1)
    expected = train(whole, optimizer, seed=2)
    half = Net()
    optimizer = cls(half, **options)
    train(half, optimizer, seed=1)
    resumed = Net(seed=9)
    resumed.load_state_dict(half.state_dict())
    restored = cls(resumed, **options)
    restored.load_state_dict(optimizer.state_dict())
    assert all(torch.equal(a, b) for a, b in zip(train(resumed, restored, seed=2), expected, strict=True))


@pytest.mark.parametrize("cls", ALL)
def test_a_model_with_nothing_to_train_is_refused(cls):
    with pytest.raises(ValueError, match="no trainable parameter"):
        cls(nn.Linear(2, 2).requires_grad_(False))


def test_nesterov_without_momentum_is_refused():
    with pytest.raises(ValueError, match="Nesterov"):
        SGD(Net(), momentum=0.0, nesterov=True)


@pytest.mark.parametrize("optimizer", ALL)
@pytest.mark.parametrize("parameters", ["n_s", "n_gamma", "s_gamma", "t_gamma"])
def test_time_steps_and_heights_have_settings_of_their_own(optimizer, parameters):
    model = nn.Sequential(
        nn.Linear(2, 3), QuantReLU(parameters=parameters), nn.Linear(3, 2), QuantReLU(parameters=parameters)
    )
    plain = optimizer(model, lr=0.1, weight_decay=0.01)
    assert len(plain.param_groups) == 1
    apart = optimizer(model, lr=0.1, weight_decay=0.01, lr_t=0.5, weight_decay_gamma=0.2)
    rest, gamma, t = apart.param_groups
    assert {id(p) for p in t["params"]} == {id(next(model[i].parameters())) for i in (1, 3)}
    assert {id(p) for p in gamma["params"]} == {id(list(model[i].parameters())[1]) for i in (1, 3)}
    assert [(g["lr"], g["weight_decay"]) for g in (rest, gamma, t)] == [(0.1, 0.01), (0.1, 0.2), (0.5, 0.01)]
    assert sum(len(group["params"]) for group in apart.param_groups) == len(list(model.parameters()))
    kept = optimizer(model, lr_t=0.5, weight_decay=0.01, decay_norm_and_bias=False)
    assert kept.param_groups[-1]["weight_decay"] == 0
    frozen = optimizer(model, lr=0.1, lr_t=0.0, weight_decay_t=0.1)
    before = next(model[1].parameters()).item()
    model(torch.randn(4, 5, 2)).square().sum().backward()
    frozen.step()
    assert next(model[1].parameters()).item() == before


@pytest.mark.parametrize("trust_clip", [False, True])
@pytest.mark.parametrize("max_grad_norm", [None, 0.5])
@pytest.mark.parametrize("apart", [False, True])
def test_steps_of_lamb_equal_those_of_timm(trust_clip, max_grad_norm, apart):
    from timm.optim import Lamb as Reference

    model, reference = Net().double(), Net().double()
    options = {"lr": 0.02, "eps": 1e-5, "max_grad_norm": max_grad_norm, "trust_clip": trust_clip}
    found = train(model, Lamb(model, weight_decay=0.1, decay_norm_and_bias=not apart, **options), steps=6)
    wide = [param for param in reference.parameters() if param.ndim > 1 or not apart]
    rest = [param for param in reference.parameters() if param.ndim <= 1 and apart]
    groups = [{"params": wide, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}][: 1 + apart]
    expected = train(reference, Reference(groups, **options), steps=6)
    torch.testing.assert_close(found, expected)


def test_lamb_moves_a_weight_by_its_own_length_times_the_rate():
    """What makes it another optimiser than Adam; normalisation that is not decayed moves as with Adam."""
    model = nn.Sequential(nn.Linear(3, 2, bias=False), nn.BatchNorm1d(2))
    before = model[0].weight.detach().clone()
    optimizer = Lamb(model, lr=0.1, weight_decay=0.01, decay_norm_and_bias=False)
    model(torch.randn(8, 3, generator=torch.Generator().manual_seed(0))).pow(3).sum().backward()
    optimizer.step()
    torch.testing.assert_close((model[0].weight.detach() - before).norm(), 0.1 * before.norm())
    torch.testing.assert_close((model[1].weight.detach() - 1).abs(), torch.full((2,), 0.1), atol=1e-3, rtol=0)
