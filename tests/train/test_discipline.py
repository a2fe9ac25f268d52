"""No step of any component does what a CUDA graph cannot hold; seen on the CPU."""

import inspect
import itertools
from collections.abc import Callable
from typing import Literal, get_args, get_origin, get_type_hints

import pytest
import torch
from torch import Tensor, nn

from snnlab import registry
from snnlab.config.schema import TrainerConfig
from snnlab.kernels import backend
from snnlab.layers.embedding import Embedded, WordSpikes
from snnlab.losses.base_teacher import TeacherLoss
from snnlab.metrics import Recorder
from snnlab.norms.base import BatchNorm
from snnlab.regularisers.base import Regulariser
from snnlab.train.average import Average
from snnlab.train.batch_work import BatchInput, BatchWork
from snnlab.train.tensor_rates import TensorRates
from snnlab.train.update import Update
from tests.models.nir_graphs import small_graph
from tests.train.discipline import UndisciplinedError, disciplined
from tests.train.small_net import CLASSES, STEPS, SmallNet, made

NEURONS, NORMS, LOSSES, OPTIMIZERS, SURROGATES, MODELS = (
    tuple(registry.component_files(kind))
    for kind in ("neuron", "norm", "loss", "optimizer", "surrogate", "model")
)


def work(
    net: nn.Module, loss: str = "sdt", regulariser: Regulariser | None = None, **settings: object
) -> BatchWork:
    regularisers = {} if regulariser is None else {"it": regulariser}
    scaler = torch.amp.GradScaler("cpu", enabled=False)
    return BatchWork(net, net, made("loss", loss, **settings), regularisers, scaler, TrainerConfig())


def batch(one: BatchWork, x_TBCHW: Tensor | None = None) -> BatchInput:
    x_TBCHW = 2 * torch.rand(STEPS, 6, 2, 4, 4) if x_TBCHW is None else x_TBCHW
    teacher = torch.randn(6, CLASSES) if isinstance(one.loss, TeacherLoss) else None
    target_B = torch.arange(6) % CLASSES
    return BatchInput(x_TBCHW, target_B, target_B, teacher, torch.tensor(0.5))


def varied(kind: str) -> list[tuple[str, dict[str, object]]]:
    """Each component of a kind with its defaults, and with each other value of its switches, one at a time."""
    found: list[tuple[str, dict[str, object]]] = []
    for name in registry.component_files(kind):
        cls = registry.load(kind, name)
        found.append((name, {}))
        for key, annotation in get_type_hints(cls.__init__).items():
            default = inspect.signature(cls).parameters[key].default if key != "return" else None
            for part in (annotation, *get_args(annotation)):
                values = (
                    (True, False) if part is bool else get_args(part) if get_origin(part) is Literal else ()
                )
                found += [(name, {key: value}) for value in values if value != default]
    return found


def named(one: tuple[str, dict[str, object]]) -> str:
    return "-".join([one[0], *(f"{key}={value}" for key, value in one[1].items())])


def hold(one: BatchWork, given: BatchInput) -> None:
    """Runs the work once to allocate gradients, and once more under discipline."""
    with backend("eager", fuse=False):
        one(given)
        with disciplined(one.model):
            one(given)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("neuron", NEURONS)
def test_every_neuron_with_every_norm_loss_and_optimizer(neuron: str, norm: str) -> None:
    net = SmallNet(neuron, norm)
    for loss, optimizer in itertools.product(LOSSES, OPTIMIZERS):
        one = work(net, loss)
        updated = made("optimizer", optimizer, model=net)
        hold(one, batch(one))
        hold_update(net, updated)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("neuron", NEURONS)
def test_the_evaluation_of_every_neuron_with_every_norm(neuron: str, norm: str) -> None:
    net = SmallNet(neuron, norm).eval()
    with backend("eager", fuse=False), torch.inference_mode(), Recorder(net):
        net(torch.rand(STEPS, 6, 2, 4, 4, device="cpu"))
        with disciplined(net):
            net(torch.rand(STEPS, 6, 2, 4, 4, device="cpu"))


def hold_update(net: nn.Module, optimizer: torch.optim.Optimizer, average: Average | None = None) -> None:
    """Updates the network as a GPU does: once to set up the optimiser's state, and once more under discipline."""
    rates = TensorRates(optimizer)
    update = Update(net, optimizer, average, torch.amp.GradScaler("cpu", enabled=False), 0.1, rates)
    assert update.refusal() is None
    update.write_rates()
    update()
    state = [one.data_ptr() for one in tensors(optimizer)]
    with disciplined(net):
        update.write_rates()
        update()
    assert [one.data_ptr() for one in tensors(optimizer)] == state


def tensors(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    """The optimiser's state, in a fixed order."""
    return [
        value for state in optimizer.state.values() for value in state.values() if isinstance(value, Tensor)
    ]


@pytest.mark.parametrize("optimizer", varied("optimizer"), ids=named)
def test_every_setting_of_every_optimizer(optimizer: tuple[str, dict[str, object]]) -> None:
    name, settings = optimizer
    for given in ({}, {"momentum": 0.0}, {"weight_decay": 0.1}, {"lr_t": 0.1}):
        net = SmallNet("quant_relu" if "lr_t" in given else "lif")
        one = work(net)
        one(batch(one))
        if settings.get("nesterov") and "momentum" in given:
            continue
        hold_update(net, made("optimizer", name, model=net, **{**settings, **given}), Average(net, 0.9))


def test_the_discipline_sees_an_optimizer_that_reads() -> None:
    class Reads(torch.optim.SGD):
        @torch.no_grad()
        def step(self, closure: object = None) -> None:
            super().step()
            assert self.param_groups[0]["params"][0].sum().item() < 1e9

    net = SmallNet()
    one = work(net)
    one(batch(one))
    with pytest.raises(UndisciplinedError, match="item reads a tensor's value on the host"):
        hold_update(net, Reads(net.parameters()))


@pytest.mark.parametrize("neuron", NEURONS)
def test_every_neuron_with_packed_spikes(neuron: str) -> None:
    net = SmallNet(neuron)
    scaler = torch.amp.GradScaler("cpu", enabled=False)
    one = BatchWork(net, net, made("loss", "sdt"), {}, scaler, TrainerConfig(pack_spikes=True))
    hold(one, batch(one))


@pytest.mark.parametrize("neuron", varied("neuron"), ids=named)
def test_every_setting_of_every_neuron(neuron: tuple[str, dict[str, object]]) -> None:
    name, settings = neuron
    one = work(SmallNet(name, settings=settings))
    hold(one, batch(one))


@pytest.mark.parametrize("loss", varied("loss"), ids=named)
def test_every_setting_of_every_loss(loss: tuple[str, dict[str, object]]) -> None:
    name, settings = loss
    one = work(SmallNet(), name, **settings)
    hold(one, batch(one))


@pytest.mark.parametrize("surrogate", SURROGATES)
@pytest.mark.parametrize("neuron", NEURONS)
def test_every_neuron_with_every_surrogate(neuron: str, surrogate: str) -> None:
    one = work(SmallNet(neuron, surrogate=surrogate))
    hold(one, batch(one))


@pytest.mark.parametrize("regulariser", varied("regulariser"), ids=named)
def test_every_setting_of_every_regulariser(regulariser: tuple[str, dict[str, object]]) -> None:
    name, settings = regulariser
    held = 0
    for neuron in NEURONS:
        penalty = made("regulariser", name, **settings)
        one = work(SmallNet(neuron), regulariser=penalty)
        try:
            with penalty.watching(one.model):
                pass
        except ValueError:  # it has nothing to penalise there
            continue
        hold(one, batch(one))
        held += 1
    assert held


@pytest.mark.parametrize("model", MODELS)
def test_every_model(model: str) -> None:
    def neuron(**overrides: float) -> nn.Module:
        return registry.load("neuron", "lif")(**overrides)

    size = {"spikformer": 16, "spiking_bert": 24}.get(model, 32)
    net = made(
        "model",
        model,
        neuron=neuron,
        residual_neuron=neuron,
        norm=lambda features: registry.load("norm", "bn")(features),
        num_steps=STEPS,
        num_classes=CLASSES,
        in_channels=2,
        image_size=size,
        frame_shape=(size, size),
        threshold=1.0,
        graph=small_graph(2, CLASSES, size),
    )
    one = work(net)
    for parameter in net.parameters():
        parameter.grad = torch.zeros_like(parameter)
    given = BatchInput(
        torch.rand(2, 2, 2, size, size), torch.arange(2), torch.arange(2), None, torch.tensor(0.5)
    )
    with backend("eager", fuse=False), disciplined(net):
        one(given)


def test_words() -> None:
    class OfWords(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(8, CLASSES)

        def forward(self, x: Tensor) -> Tensor:
            logits_TBK: Tensor = self.head(x.mean((2, 3)))
            return logits_TBK

    one = work(Embedded(WordSpikes(5, 8), OfWords()))
    words = torch.randint(5, (6, 1, 7, 1), generator=torch.Generator().manual_seed(0)).expand(
        STEPS, -1, -1, -1, -1
    )
    hold(one, batch(one, words))


def test_a_batch_norm_without_momentum_averages_over_all_batches_and_reads_nothing() -> None:
    own, torch_own = BatchNorm(3, momentum=None), nn.BatchNorm1d(3, momentum=None)
    for _ in range(3):
        x = torch.randn(5, 3)
        with disciplined(own):
            y = own(x)
        torch.testing.assert_close(y, torch_own(x))
    torch.testing.assert_close(own.running_mean, torch_own.running_mean)
    torch.testing.assert_close(own.running_var, torch_own.running_var)
    assert own.num_batches_tracked == 3
    own.eval()
    torch_own.eval()
    torch.testing.assert_close(own(x), torch_own(x))
    still = torch.randn(1, 5, 3).expand(4, -1, -1)
    own.train()
    with disciplined(own):
        own.of_still(still)


DEEDS: dict[str, Callable[[Tensor], object]] = {
    "item": lambda x: x.sum().item(),
    "float": lambda x: float(x.sum()),
    "if": lambda x: 1 if x.sum() > 0 else 0,
    "tolist": lambda x: x.tolist(),
    "numpy": lambda x: x.detach().numpy(),
    "cpu": lambda x: x.cpu(),
    "equal": lambda x: torch.equal(x, x),
    "mask": lambda x: x[x > 0],
    "masked write": lambda x: x.clone().__setitem__(x > 0, torch.ones(4, device=x.device)),
    "nonzero": lambda x: x.nonzero(),
    "unique": lambda x: x.unique(),
    "repeat": lambda x: x.repeat_interleave(torch.ones_like(x).long()),
    "tensor": lambda x: torch.tensor(1.0, device=x.device),
    "new_tensor": lambda x: x.new_tensor(1.0),
    "list": lambda x: torch.as_tensor([1.0, 2.0], device=x.device),
    "no device": lambda x: torch.zeros(3),
    "a draw on the host": lambda x: torch.randint(3, (4,)),
}


class Doing(nn.Module):
    """A layer that does one thing that a graph cannot hold."""

    def __init__(self, deed: str) -> None:
        super().__init__()
        self.weight, self.deed = nn.Parameter(torch.ones(4)), deed

    def forward(self, x: Tensor) -> Tensor:
        DEEDS[self.deed](x)
        return x * self.weight


@pytest.mark.parametrize("deed", DEEDS)
def test_the_discipline_sees(deed: str) -> None:
    net, x = Doing(deed), torch.rand(4)
    net(x)
    with pytest.raises(UndisciplinedError), disciplined(net):
        net(x)


def test_the_discipline_sees_what_a_backward_pass_does() -> None:
    class Reads(torch.autograd.Function):
        @staticmethod
        def forward(ctx: object, x: Tensor) -> Tensor:
            return x.clone()

        @staticmethod
        def backward(ctx: object, *grads: Tensor) -> Tensor:
            return grads[0] * float(grads[0].sum())

    x = torch.ones(3, requires_grad=True)
    with pytest.raises(UndisciplinedError, match="_local_scalar_dense"), disciplined():
        Reads.apply(x).sum().backward()


def test_the_discipline_sees_a_gradient_in_new_memory() -> None:
    net = nn.Linear(2, 1)
    net(torch.ones(2)).backward()
    with disciplined(net):
        net(torch.ones(2, device="cpu")).backward()
    net.zero_grad()
    with (
        pytest.raises(UndisciplinedError, match="the gradient of weight is allocated anew"),
        disciplined(net),
    ):
        net(torch.ones(2, device="cpu")).backward()
