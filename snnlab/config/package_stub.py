"""Writes the type stubs of the component packages, whose classes are imported on demand: `make conf`."""

from pathlib import Path

from snnlab.registry import KINDS, public_classes


def package_stub(kind: str) -> str:
    """The text of `__init__.pyi`: imports every component and base class from its file."""
    classes = sorted(public_classes(kind).items(), key=lambda item: item[1])
    imports = [f"from {module} import {name} as {name}\n" for name, module in classes]
    return "".join(["# Written by `make conf`.\n", *imports])


def write() -> None:
    """Writes the stubs of all component packages."""
    for kind, folder in KINDS.items():
        stub = Path(__file__).parents[1] / folder / "__init__.pyi"
        stub.write_text(package_stub(kind), encoding="utf-8")


if __name__ == "__main__":
    write()
