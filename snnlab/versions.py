"""The versions of the packages that a result may depend on. Imports none of them."""

from importlib import metadata

PACKAGES = (
    "torch",
    "torchvision",
    "triton",
    "numpy",
    "scikit-learn",
    "tonic",
    "hydra-core",
    "omegaconf",
    "wandb",
    "rich",
    "matplotlib",
)


def package_versions(*more: str) -> dict[str, str | None]:
    """The installed version of each of `PACKAGES` and more; None where it is not installed."""
    return {name: _version(name) for name in (*PACKAGES, *more)}


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
