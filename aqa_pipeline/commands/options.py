"""The options, exit codes and the progress bar that several commands share."""

import ctypes
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aqa_pipeline.commands.next_step import PLUGINS
from aqa_pipeline.errors import AqaError

if TYPE_CHECKING:
    from aqa_pipeline.records import StreamSpec

UNSEEN = 1e-6  # seconds of delay, so that a bar is not shown before its first progress
SOME_FAILED = 3  # exit code: some videos or files failed, the others are done


def example(text: str) -> str:
    """Return the end of a help text: an example command that works."""
    return f"\b\nExample:\n  {text}"


Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def together(*decorators: Decorator) -> Decorator:
    """Return one decorator that applies all of these, the first one outermost."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


EXISTING = click.Path(exists=True, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)

store_option = click.option(
    "--store",
    type=click.Path(path_type=Path),
    default=Path("features"),
    show_default=True,
    help="The feature store: a folder. For reading, also a packed .h5 file.",
)
device_option = click.option(
    "--device",
    default="auto",
    show_default=True,
    help="cpu, cuda, cuda:1, ...; auto uses a GPU if there is one.",
)
name_option = click.option(
    "--name",
    "called",
    metavar="NAME",
    help="Name of your own folder in the store and in runs.  [default: the name of the folder]",
)

stored_dataset_options = together(
    click.option(
        "--dataset",
        metavar="NAME",
        help="A name from `aqa datasets list`, or of a folder of yours in the store.  "
        "[default: the only one in the store]",
    ),
    click.option(
        "--root",
        type=FOLDER,
        help="Folder of the dataset.  [default: where it was extracted from, else data/NAME]",
    ),
    name_option,
    store_option,
)


def _plug_in(ctx: click.Context, param: click.Parameter, paths: tuple[Path, ...]) -> None:
    """Run the given files. Their entries can be looked up until the command ends."""
    if ctx.resilient_parsing or not paths:
        return
    from aqa_pipeline.plugins import plugged_in, read_plugin

    ctx.meta[PLUGINS] = paths
    ctx.with_resource(plugged_in([read_plugin(path) for path in paths]))


plugin_option = click.option(
    "--plugin",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE.py",
    expose_value=False,
    callback=_plug_in,
    help="Run this file, and use the heads, backbones and datasets that it defines.",
)
dataset_options = together(
    click.option("--dataset", required=True, metavar="NAME", help="A name from `aqa datasets list`."),
    click.option("--root", type=FOLDER, help="Folder of the dataset.  [default: data/NAME]"),
    name_option,
    plugin_option,
)


def network_options(*, otherwise: str = "official") -> Decorator:
    """Return the options for networks and their runtime.

    `otherwise` is the default of the weights in the help.
    """
    weights = click.option(
        "--weights",
        multiple=True,
        metavar="[STREAM=]official|random:SEED|PATH",
        help=f"Weights of the networks.  [default: {otherwise}]",
    )
    return together(weights, _RUNNING)


_RUNNING = together(
    device_option,
    click.option(
        "--batch-size", type=click.IntRange(1), help="Steps per network call.  [default: by device]"
    ),
    click.option(
        "--runtime",
        type=click.Choice(["auto", "eager", "compile", "openvino"]),
        default="auto",
        show_default=True,
        help="The library that runs the networks. auto: torch on a GPU; on a CPU OpenVINO (extra `openvino`) "
        "if it is not slower and its features differ from torch by at most 1e-3. compile needs a minute per "
        "network.",
    ),
)
reader_option = click.option(
    "--reader",
    type=click.Choice(["auto", "pyav", "decord"]),
    default="auto",
    show_default=True,
    help="The library that reads videos. auto is pyav. decord (the extra `decord`) reads h264 and hevc in "
    "mp4, if a scan of the packets shows that its frames are exact; it may hold a whole video in memory.",
)


ENGINE_OPTIONS = ("engine", "ray_address", "actors")


def engine_options(*, by_default: str) -> Decorator:
    """Return the options for a Ray cluster. `by_default` is the default number of workers in the help."""
    return together(
        click.option(
            "--engine",
            type=click.Choice(["local", "ray"]),
            default="local",
            show_default=True,
            help="local: this process. ray: workers on a Ray cluster (the extra `ray`).",
        ),
        click.option(
            "--ray-address",
            metavar="ADDR",
            help="A running cluster: HOST:PORT, or auto for the cluster of this machine.  "
            "[default: RAY_ADDRESS, else a new one on this machine]",
        ),
        click.option(
            "--actors",
            type=click.IntRange(1),
            help=f"Number of workers on the Ray cluster.  [default: {by_default}]",
        ),
    )


def check_engine_options(*, engine: str, ray_address: str | None, actors: int | None) -> None:
    """Raise `click.UsageError` for options of Ray without `--engine ray`, which would have no effect."""
    if engine == "local" and (ray_address or actors):
        raise click.UsageError("--ray-address and --actors are for --engine ray.")


def tell_on_stderr(text: str) -> None:
    """Print a line on stderr, above a progress bar if there is one."""
    from tqdm import tqdm

    tqdm.write(text, file=sys.stderr)


def tell_broken_plugins(problems: Iterable[str]) -> int:
    """Print the problems of plug-ins on stderr; return the exit code of a list command."""
    problems = list(problems)
    for problem in problems:
        click.secho(problem, fg="red", err=True)
    return SOME_FAILED if problems else 0


def parse_names(text: str | None) -> tuple[str, ...]:
    """Return the names of a list: 'a, b' -> ('a', 'b'); None -> ()."""
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


def parse_numbers(text: str, *, option: str = "--seeds") -> tuple[int, ...]:
    """Return the numbers of a list: '0,1,2' -> (0, 1, 2)."""
    try:
        return tuple(int(number) for number in text.split(","))
    except ValueError:
        raise click.UsageError(f"{option} expects numbers such as 0,1,2; got {text!r}.") from None


def parse_backbones(texts: Iterable[str]) -> dict[str, str]:
    """Return backbones by stream: ('segments=i3d', 'resnet50') -> {'segments': 'i3d', '': 'resnet50'}."""
    by_stream: dict[str, str] = {}
    for text in texts:
        stream, _, name = text.rpartition("=")
        if not name or stream in by_stream:
            raise click.UsageError(f"--backbone expects NAME or STREAM=NAME, once per stream; got {text!r}.")
        by_stream[stream] = name
    return by_stream


def default_root(dataset: str, root: Path | None) -> Path:
    """Return the folder of the dataset: `root`, else data/NAME."""
    return root or Path("data") / dataset


def pick_device(device: str) -> str:
    """Return the device, with `auto` resolved. Raise `AqaError` for a device that cannot be used."""
    if device == "cpu" or (device == "auto" and not _has_driver()):
        return "cpu"  # without torch, whose import takes seconds
    import torch

    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise AqaError(
            f"device {device!r} cannot be used: {str(error).splitlines()[0]} Try --device cpu."
        ) from error
    return device


def _has_driver() -> bool:
    """Return whether this machine has the driver of a GPU. Without one, torch cannot find a GPU."""
    if Path("/dev/kfd").exists():  # AMD's
        return True
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True


@contextmanager
def progress_bar(total: float | None, *, unit: str, **options: Any) -> Iterator[Any]:
    """Show a progress bar on stderr from the first progress on; in a file, one line every half minute.

    The variable AQA_BAR_SECONDS sets another time between these lines. Without any progress (after an error,
    or if all was done before), no bar is shown.
    """
    from tqdm import tqdm

    seconds = float(os.environ.get("AQA_BAR_SECONDS", "30"))
    calm: dict[str, Any] = {} if sys.stderr.isatty() else {"mininterval": seconds, "ascii": True}
    with tqdm(
        total=total, unit=unit, file=sys.stderr, dynamic_ncols=True, delay=UNSEEN, **calm, **options
    ) as bar:
        try:
            yield bar
        finally:
            if bar.n:
                bar.delay = 0  # so that the last state is shown even for a very short bar


def clock_time(seconds: float) -> str:
    """Return 75.4 as '1:15', and 3675 as '1:01:15'."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def warn_of_random_weights(specs: Iterable["StreamSpec"]) -> None:
    """Print a warning if features come from random weights, so that nobody takes them for results."""
    if any(spec.random_weights for spec in specs):
        click.secho(
            "RANDOM WEIGHTS: these features test the software; their scores mean nothing.",
            fg="yellow",
            err=True,
        )
