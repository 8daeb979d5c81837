"""The record of one pretrained file: URLs, published digest, license."""

from dataclasses import dataclass

from aqa_pipeline.weights.identity import Identity


@dataclass(frozen=True)
class Package:
    """A package of the Python package index whose wheel holds a weights file.

    `requirement` is `name==version`, and `member` is the file's path in the wheel. The file is read from the
    wheel, or from where the package is installed. No code of the package runs. `tags` (Python, ABI, platform)
    name the wheel of a package that has several: any of them holds the file, so each machine takes the same.
    """

    requirement: str
    member: str
    wheel_sha256: str
    tags: tuple[str, str, str] | None = None

    @property
    def name(self) -> str:
        """The name of the package."""
        return self.requirement.partition("==")[0]

    @property
    def version(self) -> str:
        """The version that holds the file."""
        return self.requirement.partition("==")[2]


@dataclass(frozen=True)
class WeightsFile:
    """One pretrained file, from `urls`, which are tried in order, or from a `package`.

    `identity` is None if no digest was published: then the first file is trusted, and later files are
    compared with it (`trust on first use`). `size` is in bytes, None if it was not published. `manual` says
    how to get a file without URL by hand.
    """

    name: str
    file_name: str
    urls: tuple[str, ...]
    identity: Identity | None
    license: str
    note: str
    size: int | None = None
    manual: str | None = None
    package: Package | None = None

    @property
    def can_be_fetched(self) -> bool:
        """Whether `aqa weights fetch` can get the file."""
        return bool(self.urls) or self.package is not None

    @property
    def identity_text(self) -> str:
        """Return how the file is recognized, for a table."""
        if self.identity is None:
            return "trust on first use"
        return f"{self.identity.kind} {self.identity.digest[:12]}"


def hub_identity(file_name: str) -> Identity:
    """Return the identity in a file name of torch.hub: the digits before the suffix begin the SHA-256."""
    return Identity("sha256_prefix", file_name.rpartition("-")[2].partition(".")[0])


def torchvision_file(name: str, file_name: str, note: str) -> WeightsFile:
    """Return the entry of a file that torchvision publishes."""
    return WeightsFile(
        name=name,
        file_name=file_name,
        urls=(f"https://download.pytorch.org/models/{file_name}",),
        identity=hub_identity(file_name),
        license="BSD-3-Clause (torchvision); trained on data with terms of their own",
        note=note,
    )
