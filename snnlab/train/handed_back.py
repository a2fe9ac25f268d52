"""What components of a user's own package hand back in a rehearsal.

A forgotten `return` would fail in our code, where no line of theirs is named.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from torch import Tensor, nn

from snnlab.errors import ConfigError
from snnlab.losses.base import Loss
from snnlab.neurons.base import Neuron
from snnlab.own_code import source_of
from snnlab.registry import packages_used
from snnlab.regularisers.base import Regulariser
from snnlab.surrogates.base import Surrogate

Fits = Callable[[Any], bool]


def _is_tensor(found: Any) -> bool:
    return isinstance(found, Tensor)


def _is_scalar(found: Any) -> bool:
    return isinstance(found, Tensor) and found.ndim == 0


def _is_pair(found: Any) -> bool:
    return isinstance(found, tuple | list) and len(found) == 2 and all(map(_is_tensor, found))


def _are_terms(found: Any) -> bool:
    return isinstance(found, Mapping) and bool(found) and all(map(_is_scalar, found.values()))


def _is_something(found: Any) -> bool:
    return found is not None


EXPECTED: tuple[tuple[type[nn.Module], str, Fits, str], ...] = (
    (Neuron, "initial_state", _is_tensor, "the state before the first step, a tensor"),
    (Neuron, "forward_with_state", _is_pair, "spikes [T, ...] and the state behind them, two tensors"),
    (Surrogate, "gradient", _is_tensor, "the derivative at each number of u, a tensor"),
    (Loss, "terms", _are_terms, "the terms by name, {'ce': ...}, each a tensor with one number and no axes"),
    (Regulariser, "term", _is_scalar, "the weighted penalty, a tensor with one number and no axes"),
    (nn.Module, "forward", _is_something, "what comes behind it takes"),
)


def refuse_other_types(components: Iterable[nn.Module], model: nn.Module | None = None) -> None:
    """Makes the methods of components of own packages raise where they return something of another type.

    Args:
        components: those of a rehearsal, which nothing else uses: they stay like that.
        model: the network among them.
    """
    own = packages_used()
    for one in {id(one): one for root in components for one in root.modules()}.values():
        if type(one).__module__.partition(".")[0] not in own:
            continue
        for kind, method, fits, expected in EXPECTED:
            if isinstance(one, kind):
                setattr(one, method, _checked(one, method, fits, expected))
        if one is model:
            logits = "logits [T, B, K], a tensor"
            setattr(one, "forward", _checked(one, "forward", _is_tensor, logits))  # noqa: B010


def _checked(one: nn.Module, method: str, fits: Fits, expected: str) -> Callable[..., Any]:
    original, cls = getattr(one, method), type(one)

    def checked(*args: Any, **kwargs: Any) -> Any:
        found = original(*args, **kwargs)
        if not fits(found):
            raise ConfigError(
                f"{source_of(cls)}.{method} returns {_said(found)}", f"it is to return {expected}"
            )
        return found

    return checked


def _said(found: Any) -> str:
    if found is None:
        return "nothing"
    if isinstance(found, Tensor):
        return f"a tensor {' x '.join(map(str, found.shape))}".rstrip()
    inside = f" of {len(found)}" if isinstance(found, tuple | list | dict) else ""
    return f"a {type(found).__name__}{inside}"
