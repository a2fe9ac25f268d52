"""The Triton kernels against autograd through the plain recurrence, in Triton's interpreter or on a GPU.

Everything that an operator allocates is filled with NaN first, so an element that a kernel leaves out shows.
"""

from copy import deepcopy

import pytest
import torch

from snnlab import registry
from snnlab.kernels import BackendError, Call, backend
from snnlab.kernels.eager import loop
from snnlab.neurons import CF, DSATGO, IF, LIF, PLIF
from snnlab.neurons.base_membrane import watch_potentials
from snnlab.surrogates import Triangle
from snnlab.surrogates.base import Surrogate

pytest.importorskip("triton")
from snnlab.kernels.triton import adaptive, backward
from snnlab.kernels.triton import backend as triton_backend
from snnlab.kernels.triton.forward import Forward
from snnlab.kernels.triton.launcher import Launch
from snnlab.triton_language import INTERPRETED, jit, tl

SURROGATES = tuple(registry.component_files("surrogate"))


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)], autouse=True)
def device(request):
    if request.param == "cpu" and not INTERPRETED:
        pytest.skip("kernels run on the CPU in Triton's interpreter only")
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("there is no CUDA device")
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)  # fills empty tensors with NaN
    yield request.param
    torch.use_deterministic_algorithms(before)


def make_surrogate(name, steps):
    cls = registry.load("surrogate", name)
    return cls(num_steps=steps) if name == "tsg" else cls()


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def gradients(neuron, spikes_T, v, inputs, weight_T, weight):
    loss = (spikes_T.float() * weight_T).sum() + (v * weight).sum()
    return torch.autograd.grad(loss, [*inputs, *neuron.parameters()])


def compare(neuron, x_T, state=None, weight_T=None, start=0, again=None):
    """Spikes, potential and all gradients of the kernels equal those of the loop, which runs on a copy if given."""
    x_T = x_T.requires_grad_()
    given = torch.full_like(x_T[0], neuron.v_init, dtype=torch.float32) if state is None else state
    given = given.requires_grad_()
    weight_T = normal(*x_T.shape, seed=1).to(x_T.device) if weight_T is None else weight_T
    weight = normal(*x_T.shape[1:], seed=2).to(x_T.device)
    plain = neuron if again is None else again
    dynamics, seen = plain.dynamics_of_call(), []

    def measure(h_T):
        seen.append(h_T.detach())

    wanted_T, wanted_v, _ = loop(
        Call(x_T, given, plain.current_decay(), dynamics, plain.surrogate, start, measure)
    )
    wanted = gradients(plain, wanted_T, wanted_v, (x_T, given), weight_T, weight)

    call = Call(x_T, given, neuron.current_decay(), neuron.dynamics_of_call(), neuron.surrogate, start)
    assert triton_backend.refusal(call) is None
    spikes_T, v, _ = triton_backend.run(call)
    found = gradients(neuron, spikes_T, v, (x_T, given), weight_T, weight)

    assert spikes_T.dtype == x_T.dtype
    if isinstance(neuron, DSATGO):
        assert torch.equal(spikes_T, wanted_T)
    else:
        assert sure(seen[0].cpu(), neuron)[(spikes_T != wanted_T).cpu()].logical_not().all()
    torch.testing.assert_close(v, wanted_v, rtol=1e-5, atol=1e-5)
    # The interpreter cuts bits off where a GPU rounds to the nearest number.
    tolerance = {torch.float32: 1e-5, torch.float16: 1e-3, torch.bfloat16: 8e-3}[x_T.dtype]
    for a, b, name in zip(found, wanted, ["x", "v", *dict(neuron.named_parameters())], strict=True):
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        assert (a - b).float().norm() <= tolerance * b.float().norm() + 1e-12, name
    return spikes_T


def sure(h_T, neuron):
    """Where no potential so far came so near to a threshold that rounding decides."""
    near = torch.zeros_like(h_T, dtype=torch.bool)
    for sign, theta, count in zip(
        (1, -1), neuron.thresholds, (neuron.output_range[1], -neuron.output_range[0]), strict=True
    ):
        for k in range(1, count + 1):
            near |= (sign * h_T - k * theta).abs() < 1e-5
    return near.cummax(0).values.logical_not()


@pytest.mark.parametrize("steps", [1, 2, 7, 19])
@pytest.mark.parametrize("size", [1, 63, 1001])
def test_sizes_and_steps(size, steps, device):
    if steps == 19 and size != 63:
        pytest.skip("segments are alike for every size")
    compare(LIF(), (normal(steps, size) + 0.4).to(device))


@pytest.mark.parametrize(
    "neuron",
    [
        lambda: IF(),
        lambda: IF(reset="soft", v_init=0.5, threshold=0.7),
        lambda: IF(v_reset=-0.3, detach_reset=True),
        lambda: LIF(tau=2.0, decay_input=True, detach_reset=True),
        lambda: LIF(reset="soft", detach_reset=True, v_reset=0.2, threshold=0.7),
        lambda: LIF(v_reset=0.2, decay_input=True, v_init=0.4, threshold=0.7),
        lambda: PLIF(),
        lambda: PLIF(v_reset=-0.2),
        lambda: PLIF(v_reset=0.2, decay_input=True, reset="soft"),
        lambda: PLIF(decay_input=True, init_decay=0.8),
        lambda: CF(),
        lambda: CF(subtract="one", theta_N=0.7),
        lambda: CF(subtract="one", K_P=3, K_N=0, detach_reset=True),
        lambda: CF(K_P=1, K_N=1, detach_reset=True, threshold=0.6),
    ],
)
def test_options(neuron, device):
    neuron = neuron().to(device)
    compare(neuron, (1.5 * normal(3, 40)).to(device), (0.3 * normal(40, seed=3)).to(device))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"width": "threshold", "f_c": 1.2},
        {"adaptive_threshold": False},
        {"adaptive_width": False},
        {"adaptive_threshold": False, "adaptive_width": False},
        {"mpd": "estimated"},
        {"mpd": "estimated", "width": "threshold", "adaptive_threshold": False},
    ],
    ids=repr,
)
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_adaptive_thresholds(options, training, device):
    neuron = DSATGO(num_steps=4, **options).to(device).train(training)
    with torch.no_grad():
        neuron.threshold_T.copy_(0.7 + 0.1 * normal(4))
    again = deepcopy(neuron)
    compare(neuron, normal(3, 5, 10).to(device), again=again, start=1)
    torch.testing.assert_close(neuron.threshold_T, again.threshold_T, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("size", "most"), [(1, 1024), (63, 1024), (2500, 1024), (2500, 1), (2500, 2)])
@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_statistics_over_several_programs(steps, size, most, device, monkeypatch):
    """2500 elements are blocks of different sizes, done by one, two or three programs."""
    monkeypatch.setattr(adaptive, "_PARTS", most)
    neuron = DSATGO(make_surrogate("tsg", steps), num_steps=steps, f_c=1.1).to(device)
    x_T = normal(steps, size, 4).to(device)[..., :1].transpose(1, 2) + 3
    again = deepcopy(neuron)
    compare(neuron, x_T, again=again)
    with torch.no_grad(), backend("eager"):
        for given in (None, normal(1, size, seed=4).to(device)):
            call = neuron.call_of(x_T, neuron.rest(x_T) if given is None else given, 0, keep_state=True)
            wanted_T, wanted, _ = loop(again.call_of(x_T, call.v, 0, keep_state=True))
            found_T, found, _ = triton_backend.run(call)
            assert torch.equal(found_T, wanted_T)
            torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)


def test_adaptive_thresholds_in_float64(device):
    """Mean and deviation of all potentials of each step, where the mean is large beside the deviation."""
    x_T, decay = normal(4, 3000).to(device) * 0.01 + 100, torch.tensor(0.5, device=device)
    rest = torch.zeros((), device=device).expand(3000)
    rule = adaptive.Rule(1.0, 1.0, True, True, True)
    spikes_T, _, (theta_T, width_T) = adaptive.AdaptiveForward(x_T, rest, rule, False)(x_T, rest, decay)
    v = torch.zeros(3000, dtype=torch.float64, device=device)
    for x, s, theta, width in zip(x_T, spikes_T, theta_T, width_T, strict=True):
        h = 0.5 * v + x.double()
        torch.testing.assert_close(theta.double(), h.mean() + h.std(), rtol=1e-6, atol=0)
        torch.testing.assert_close(width.double(), 2 * torch.sigmoid(2 * (h.std() - 1)), rtol=1e-4, atol=0)
        v = torch.where(s > 0, 0.0, h)


def test_launches_of_adaptive_thresholds(device, monkeypatch):
    """Counts passes: docs/kernels.md states them."""
    seen, plain = [], Launch.__call__

    def note(launch, *tensors, **keys):
        seen.append(launch.name)
        plain(launch, *tensors, **keys)

    monkeypatch.setattr(Launch, "__call__", note)
    with backend("triton"):
        DSATGO(num_steps=5).to(device)(normal(5, 20).to(device))
    assert seen == ["charge"] * 6


def test_adaptive_thresholds_in_one_graph(device):
    neuron = DSATGO(num_steps=3).to(device)
    again = deepcopy(neuron)
    x_T = normal(3, 20).to(device)
    torch.use_deterministic_algorithms(False)
    torch._dynamo.reset()
    with backend("triton"):
        assert torch.equal(neuron(x_T), torch.compile(again, backend="aot_eager", fullgraph=True)(x_T))
    assert torch.equal(neuron.threshold_T, again.threshold_T)


@pytest.mark.parametrize("programs", [1, 2, 1024])
@pytest.mark.parametrize("steps", [3, 20])
def test_learned_parameters_over_several_programs_blocks_and_segments(steps, programs, device, monkeypatch):
    """1700 elements are four blocks, done by one program, by two and by four."""
    monkeypatch.setattr(backward, "_PROGRAMS", programs)
    neuron = PLIF(make_surrogate("tsg", steps), decay_input=True).to(device)
    with torch.no_grad():
        neuron.surrogate.x.copy_(1 + 0.2 * normal(steps))
    compare(neuron, (normal(steps, 1700) + 0.4).to(device))


@pytest.mark.parametrize("family", [LIF, CF])
@pytest.mark.parametrize("name", SURROGATES)
def test_every_surrogate_is_covered_or_refused(name, family, device):
    neuron = family(make_surrogate(name, 3)).to(device)
    if type(neuron.surrogate).kernel_gradient is None:
        with backend("triton"), pytest.raises(BackendError, match="kernel_gradient"):
            neuron(normal(2, 3).to(device))
    else:
        compare(neuron, 1.5 * normal(3, 50).to(device))


def test_numbers_of_a_surrogate_that_depends_on_the_threshold(device):
    surrogate = make_surrogate("multilevel_rectangle", 1)
    compare(LIF(surrogate, threshold=0.6).to(device), normal(2, 50).to(device))
    compare(CF(surrogate, theta_P=0.6, theta_N=0.8).to(device), normal(2, 50).to(device))


def test_a_learned_surrogate_in_the_middle_of_a_sequence(device):
    neuron = LIF(make_surrogate("tsg", 24)).to(device)
    with torch.no_grad():
        neuron.surrogate.x.copy_(normal(24))
    compare(neuron, normal(19, 5).to(device), start=5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_sixteen_bits(dtype, device):
    compare(PLIF().to(device), (normal(3, 1001) + 0.4).to(device, dtype))


@pytest.mark.parametrize("steps", [2, 18])
@pytest.mark.parametrize(
    "laid_out",
    [
        lambda x: x,
        lambda x: x.flatten(0, 1).to(memory_format=torch.channels_last).view(x.shape),
        lambda x: x[0].expand(x.shape),
        lambda x: x.permute(1, 2, 3, 4, 0).contiguous().permute(4, 0, 1, 2, 3),
        lambda x: x[:, :, 1:, ::2, 1:],
        lambda x: x.transpose(1, 3)[:, :, 1:],
        lambda x: x[:, :1, :, :1, 1:2],
        lambda x: x[:, :, :, :1].expand(x.shape),
    ],
    ids=["contiguous", "channels_last", "static", "time_inside", "slice", "order", "ones", "repeated"],
)
def test_layouts(laid_out, steps, device, request):
    if steps == 18 and "channels_last" not in request.node.name:
        pytest.skip("segments are alike for every layout")
    x_T = laid_out(normal(steps, 2, 3, 4, 5).to(device).add(0.4))
    weight_T = (
        normal(*x_T.shape, seed=5).to(device).permute(0, 4, 3, 1, 2).contiguous().permute(0, 3, 4, 2, 1)
    )
    spikes_T = compare(LIF(), x_T.detach(), weight_T=weight_T)
    if x_T[0].is_contiguous() or x_T[0].is_contiguous(memory_format=torch.channels_last):
        assert spikes_T[0].stride() == x_T[0].stride()


def test_more_axes_than_a_kernel_walks_through(device):
    x_T = normal(2, 3, 3, 3, 3, 3, 3).to(device)[:, ::2, ::2, ::2, ::2, ::2, ::2]
    compare(LIF(), x_T)


def test_gradient_that_repeats_one_number(device):
    compare(LIF(), normal(2, 6, 4).to(device), weight_T=torch.ones((), device=device).expand(2, 6, 4))


def test_no_elements(device):
    neuron = PLIF().to(device)
    x_T = torch.empty(2, 0, 3, device=device, requires_grad=True)
    with backend("triton"):
        spikes_T = neuron(x_T)
    spikes_T.sum().backward()
    assert spikes_T.shape == x_T.grad.shape == x_T.shape
    assert neuron.w.grad == 0


class Gaussian(Surrogate):
    """A surrogate of somebody else's, with a gradient for kernels in the same file."""

    @jit
    def kernel_gradient(u, a, numbers):  # noqa: N805
        return tl.exp(-0.5 * u * u / (numbers[0] * numbers[0]))

    def kernel_numbers(self):
        return (0.6,)

    def gradient(self, u):
        return torch.exp(-0.5 * (u / 0.6) ** 2)


class Changed(Triangle):
    def gradient(self, u):
        return super().gradient(u) / 2


def test_a_surrogate_from_elsewhere(device):
    compare(LIF(Gaussian()), normal(2, 30).to(device))


def refused(neuron, x_T, words):
    with backend("triton"), pytest.raises(BackendError, match=words):
        neuron(x_T)


def test_refusals_name_their_reason(device):
    x_T = normal(2, 3).to(device)
    refused(LIF(Changed()), x_T, "surrogate Changed has no kernel_gradient")
    refused(LIF(), x_T.double(), "float64")
    neuron = DSATGO(num_steps=2).to(device)
    neuron.measure = lambda h_T: h_T.mean()
    refused(neuron, x_T, "watched")


@pytest.mark.parametrize(
    ("name", "neuron"),
    [
        ("recurrence", lambda: PLIF(make_surrogate("tsg", 2))),
        ("adaptive_recurrence", lambda: DSATGO(num_steps=2)),
    ],
    ids=["recurrence", "adaptive_recurrence"],
)
def test_operators_are_registered_as_pytorch_wants_them(name, neuron, device, monkeypatch):
    calls = []

    def note(*arguments):
        calls.append(arguments)
        return operator(*arguments)

    operator = getattr(triton_backend, name)
    monkeypatch.setattr(triton_backend, name, note)
    neuron, x_T = neuron().to(device), normal(2, 2, 3, 2, 2).to(device)
    triton_backend.run_operator(neuron.call_of(x_T, neuron.rest(x_T), 0, keep_state=True))
    arguments = [a.detach().requires_grad_() if isinstance(a, torch.Tensor) else a for a in calls[0]]
    torch.use_deterministic_algorithms(False)
    torch.library.opcheck(operator, arguments)


def test_one_graph_in_the_compiler(device):
    neuron = PLIF(make_surrogate("tsg", 3))
    network = torch.nn.Sequential(torch.nn.Linear(5, 6), neuron).to(device)
    x_T = 2 * normal(3, 4, 5).to(device)
    torch.use_deterministic_algorithms(False)
    torch._dynamo.reset()
    with backend("triton"):
        plain_T = network(x_T)
        compiled_T = torch.compile(network, backend="aot_eager", fullgraph=True)(x_T)
    assert torch.equal(plain_T, compiled_T)
    wanted = torch.autograd.grad(plain_T.sum(), list(network.parameters()))
    found = torch.autograd.grad(compiled_T.sum(), list(network.parameters()))
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a, b)


def test_a_call_without_a_state_writes_spikes_only(device, monkeypatch):
    kept = []

    def note(forward, *arguments):
        found = run(forward, *arguments)
        kept.append(found[1] is not None)
        return found

    run = Forward.__call__
    monkeypatch.setattr(Forward, "__call__", note)
    x_T = normal(2, 30).to(device)
    with backend("triton"):
        spikes_T = LIF()(x_T)
        again_T, state = LIF().forward_with_state(x_T)
        last = LIF().step(x_T[1], LIF().step(x_T[0])[1])
    assert kept[:2] == [False, True]
    assert torch.equal(spikes_T, again_T)
    assert torch.equal(last[0], spikes_T[1])
    assert torch.equal(last[1], state)


@pytest.mark.parametrize("steps", [3, 19])
def test_watched_potentials(steps, device):
    """With a term that is differentiated, one that is not used, and no term."""
    found = []
    for name in ("triton", "eager"):
        neuron, x_T = PLIF(decay_input=True).to(device), normal(steps, 2, 3, 4).to(device)
        x_T = x_T.transpose(1, 3).requires_grad_()
        with (
            backend(name),
            watch_potentials(neuron, lambda _, h_T: h_T.square().mean() + h_T[0].sin().sum()) as seen,
        ):
            spikes_T = neuron(x_T)
            ((term,),) = seen.values()
            loss = (spikes_T * normal(*x_T.shape, seed=2).to(device)).sum() + 30 * term
            found.append((spikes_T, term, *torch.autograd.grad(loss, [x_T, neuron.w])))
            found[-1] += torch.autograd.grad(neuron(x_T).sum(), [x_T, neuron.w])
        with backend(name), watch_potentials(neuron, lambda _, h_T: None) as seen:
            assert torch.equal(neuron(x_T), spikes_T)
            assert seen == {"": [None]}
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=2e-5, atol=2e-5)
