"""Check that all nodes of a cluster see the same files: workers read and write shared folders."""

import os
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aqa_pipeline.cluster.versions import Versions
from aqa_pipeline.disk.files import part_beside
from aqa_pipeline.errors import ClusterError
from aqa_pipeline.plugins import PluginFile, files_plugged_in, plug_in

SHARED = "All nodes must see these folders, on a shared file system and under the same path."
PATIENCE_SECONDS = 10.0  # network file systems may show a new file late


@dataclass(frozen=True)
class Shared:
    """The files and settings of the calling process that every worker must have.

    `folder` is the start of relative paths, `witness` a file that was just made, `inputs` the files to read.
    `environment` holds the AQA_ variables of the caller, which say where weights are. `versions` are those of
    its libraries, because other versions may give other numbers. `plugins` are the plug-in files of the
    caller, which workers run too.
    """

    folder: Path
    environment: Mapping[str, str]
    versions: Versions
    witness: Path
    inputs: Sequence[Path]
    plugins: Sequence[PluginFile] = ()

    def enter(self) -> None:
        """Enter the caller's folder. Raise `ClusterError` if this node has other libraries or files."""
        here = socket.gethostname()
        if differences := self.versions.differences(Versions()):
            raise ClusterError(
                f"node {here} has other versions than the node where the command runs (there != on {here}): "
                f"{'; '.join(differences)}. Install the same versions on every node."
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
    """Make a file in the output folder that the workers look for while the block lasts."""
    # The name is that of a temporary file, so that a store deletes the file if this process is killed.
    witness = part_beside(output / "seen-by-all-nodes")
    try:
        output.mkdir(parents=True, exist_ok=True)
        witness.touch()
    except OSError as error:
        raise ClusterError(f"cannot write into {output}: {error.strerror or error}.") from error
    try:
        environment = {name: value for name, value in os.environ.items() if name.startswith("AQA_")}
        yield Shared(
            folder=Path.cwd(),
            environment=environment,
            versions=Versions(),
            witness=witness,
            inputs=inputs,
            plugins=files_plugged_in(),
        )
    finally:
        witness.unlink(missing_ok=True)
