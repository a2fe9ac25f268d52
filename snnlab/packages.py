"""Packages that only parts of snnlab need; they are imported there, and an absent one is an error that says so."""

from importlib.util import find_spec
from types import MappingProxyType

from snnlab.errors import SnnlabError

EXTRAS = MappingProxyType(
    {
        "wandb": "wandb",
        "tensorboard": "tensorboard",
        "timm": "teacher",
        "safetensors": "export",
        "nir": "export",
        "onnxscript": "onnx",
        "tonic": "events",
        "aedat": "aedat4",
        "h5py": "hdf5",
        "tokenizers": "text",
        "rjieba": "text",
        "ray": "ray",
    }
)
"""The extra in pyproject.toml that installs each."""


class MissingPackageError(SnnlabError):
    """A package that this part of snnlab needs is not installed."""


def need(package: str, what: str) -> None:
    """Checks that an optional package is installed; called before its import.

    Args:
        package: one of `EXTRAS`.
        what: what needs it, as the message begins.

    Raises:
        MissingPackageError: it is not installed.
    """
    extra = EXTRAS[package]
    if find_spec(package) is None:
        raise MissingPackageError(
            f"{what} needs the package '{package}', which is not installed", how_to_install(extra, package)
        )


def how_to_install(extra: str, *packages: str) -> str:
    """The commands that install an extra, or its packages where there is no clone."""
    return f"in the clone: pip install -e '.[{extra}]', or anywhere: pip install {' '.join(packages)}"
