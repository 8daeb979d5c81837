"""Do all nodes see the same files? Work on a cluster meets in folders, so it must."""

import os
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aqa_pipeline.cluster.versions import Versions
from aqa_pipeline.errors import ClusterError
from aqa_pipeline.files import part_beside
from aqa_pipeline.plugins import PluginFile, files_plugged_in, plug_in

SHARED = "All nodes must see these folders, on a shared file system and under the same path."
PATIENCE_SECONDS = 10.0  # network file systems may show a new file late


@dataclass(frozen=True)
class Shared:
    """What every worker must find: the folder that relative paths start from, a file just made, inputs.

    `environment` are the caller's own AQA_ variables: they say where weights lie. `versions` are those of its
    libraries: others may give other numbers. `plugins` are the caller's files, which workers run
    too.
    """

    folder: Path
    environment: Mapping[str, str]
    versions: Versions
    witness: Path
    inputs: Sequence[Path]
    plugins: Sequence[PluginFile] = ()

    def enter(self) -> None:
        """Goes to the caller's folder. Raises `ClusterError` if this node has other libraries or files."""
        here = socket.gethostname()
        if differences := self.versions.differences(Versions()):
            raise ClusterError(
                f"node {here} has other versions than the node where the command runs (there != on {here}): "
                f"{'; '.join(differences)}. Install the same on every node."
            )
        os.environ.update(self.environment)
        if self.folder.is_dir():
            os.chdir(self.folder)
        for path in (*self.inputs, self.witness.parent):
            if not path.exists():
                raise ClusterError(f"node {here} does not see {path.absolute()}. {SHARED}")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.witness.exists():
            if time.monotonic() > deadline:
                raise ClusterError(
                    f"node {here} has another {self.witness.parent.absolute()} than the node "
                    f"where the command runs. {SHARED}"
                )
            time.sleep(0.1)
        for plugin in self.plugins:
            plug_in(plugin)


@contextmanager
def sharing(output: Path, *, inputs: Sequence[Path]) -> Iterator[Shared]:
    """A file for the workers to look for while the block lasts, in the folder that they write to."""
    # Named as a store's temporary files are: it may lie there, and is cleared away if this process is killed.
    witness = part_beside(output / "seen-by-all-nodes")
    try:
        output.mkdir(parents=True, exist_ok=True)
        witness.touch()
    except OSError as error:
        raise ClusterError(f"cannot write into {output}: {error.strerror or error}.") from error
    try:
        environment = {name: value for name, value in os.environ.items() if name.startswith("AQA_")}
        yield Shared(Path.cwd(), environment, Versions(), witness, inputs, files_plugged_in())
    finally:
        witness.unlink(missing_ok=True)
