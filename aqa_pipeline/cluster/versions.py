"""Which libraries a node has: other versions may give other numbers."""

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
    """The versions of this process, by library."""

    libraries: dict[str, str] = field(default_factory=_here)

    def differences(self, other: "Versions") -> list[str]:
        """One line per library that differs."""
        return [
            f"{name} {mine} != {other.libraries.get(name, 'absent')}"
            for name, mine in self.libraries.items()
            if mine != other.libraries.get(name, "absent")
        ]
