"""Make the command that installs an extra, for the way in which this package was installed.

The package is on no index, so `pip install 'aqa-pipeline[yolo]'` finds nothing. For a checkout the command
names its folder; for an installed wheel it names the packages of the extra.
"""

import json
import re
import shlex
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

NAME = "aqa-pipeline"


def install_command(extra: str) -> str:
    """Return the `pip install` command that adds `extra` to this installation."""
    installed = _installed()
    if installed is None:  # the checkout is used without installation
        return _from_folder(Path(__file__).resolve().parents[1], extra, editable=True)
    folder, editable = _checkout(installed)
    if folder is not None:
        return _from_folder(folder, extra, editable=editable)
    return f"pip install {' '.join(map(shlex.quote, _packages(installed, extra)))}"


def _installed() -> Distribution | None:
    """Return the distribution that an installer wrote, or None.

    A build leaves `aqa_pipeline.egg-info` in the checkout, which is found first if the checkout is the
    current folder. It has no file `METADATA`, and does not say where the package was installed from.
    """
    return next((each for each in distributions(name=NAME) if each.read_text("METADATA")), None)


def _from_folder(folder: Path, extra: str, *, editable: bool) -> str:
    return f"pip install {'-e ' if editable else ''}{shlex.quote(f'{folder}[{extra}]')}"


def _checkout(installed: Distribution) -> tuple[Path | None, bool]:
    """Return the folder that pip installed from, if it still exists, and whether the install is editable.

    pip writes `direct_url.json` (PEP 610) for every package that does not come from an index.
    """
    origin = json.loads(installed.read_text("direct_url.json") or "{}")
    url = urlsplit(origin.get("url", ""))
    if url.scheme != "file" or "dir_info" not in origin:
        return None, False
    folder = Path(url2pathname(url.path))
    return folder if (folder / "pyproject.toml").is_file() else None, origin["dir_info"].get(
        "editable", False
    )


def _packages(installed: Distribution, extra: str) -> Iterator[str]:
    """Yield the requirements of an extra, such as `ultralytics>=8.3.200`."""
    for requirement in installed.requires or ():
        package, _, marker = requirement.partition(";")
        if re.search(rf"\bextra == ['\"]{re.escape(extra)}['\"]", marker):
            yield package.strip()
