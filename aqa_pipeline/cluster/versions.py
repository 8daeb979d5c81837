"""Compare the library versions of nodes: other versions may give other numbers."""

from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version

LIBRARIES = ("aqa-pipeline", "torch", "torchvision", "numpy", "scipy")


def _here() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return found


@dataclass(frozen=True)
class Versions:
    """The versions of the libraries of this process, by name."""

    libraries: dict[str, str] = field(default_factory=_here)

    def differences(self, other: "Versions") -> list[str]:
        """Return one text such as `torch 2.4 != 2.5` for each library that differs."""
        return [
            f"{name} {mine} != {other.libraries.get(name, 'absent')}"
            for name, mine in self.libraries.items()
            if mine != other.libraries.get(name, "absent")
        ]
