"""The versions of the libraries on which it depends what a runtime makes of a network."""

from importlib.metadata import PackageNotFoundError, version

LIBRARIES = ("aqa-pipeline", "openvino", "pytorchvideo", "torch", "torchvision")


def versions() -> list[str]:
    """`["torch 2.15.0", "openvino absent", ...]`."""
    return list(map(_version, LIBRARIES))


def _version(library: str) -> str:
    try:
        return f"{library} {version(library)}"
    except PackageNotFoundError:
        return f"{library} absent"
