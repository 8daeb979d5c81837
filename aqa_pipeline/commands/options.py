"""Options, exit codes and the progress bar that all commands share."""

import ctypes
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

UNSEEN = 1e-6  # seconds for which a bar is not shown: until its first progress
SOME_FAILED = 3  # exit code: some videos or files failed, the rest is done


def example(text: str) -> str:
    """The end of a help text: a command that works."""
    return f"\b\nExample:\n  {text}"


Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def together(*decorators: Decorator) -> Decorator:
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
    help="The feature store: a folder, or to read from, a packed .h5 file.",
)
device_option = click.option(
    "--device",
    default="auto",
    show_default=True,
    help="cpu, cuda, cuda:1, ...; auto takes a GPU if there is one.",
)
name_option = click.option(
    "--name",
    "called",
    metavar="NAME",
    help="What a folder of your own is called in the store and in runs.  [default: as the folder]",
)


def _plug_in(ctx: click.Context, param: click.Parameter, paths: tuple[Path, ...]) -> None:
    """Run the files that were named, for as long as the command lasts."""
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
    help="Run this file, and take the heads, backbones and datasets that it defines.",
)
dataset_options = together(
    click.option("--dataset", required=True, metavar="NAME", help="A name from `aqa datasets list`."),
    click.option("--root", type=FOLDER, help="Folder of the dataset.  [default: data/NAME]"),
    name_option,
    plugin_option,
)


def network_options(*, otherwise: str = "official") -> Decorator:
    """The networks, and what runs them; `otherwise` says which weights there are if none are named."""
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
        help="What runs the networks. auto: on a GPU torch as it is, on a CPU OpenVINO (extra `openvino`) "
        "where it is no slower and features stay within 1e-3 of torch's. compile takes a minute per network.",
    ),
)
reader_option = click.option(
    "--reader",
    type=click.Choice(["auto", "pyav", "decord"]),
    default="auto",
    show_default=True,
    help="auto is pyav. decord (the extra `decord`) takes h264 and hevc in mp4 where a packet scan proves it "
    "exact, and may hold a whole video in memory.",
)


ENGINE_OPTIONS = ("engine", "ray_address", "actors")


def engine_options(*, by_default: str) -> Decorator:
    """Where the work is done; `by_default` says how many workers a cluster gets."""
    return together(
        click.option(
            "--engine",
            type=click.Choice(["local", "ray"]),
            default="local",
            show_default=True,
            help="This process, or workers on a Ray cluster (the extra `ray`).",
        ),
        click.option(
            "--ray-address",
            metavar="ADDR",
            help="A running cluster: HOST:PORT, or auto for the one that this machine belongs to.  "
            "[default: RAY_ADDRESS, else a new one on this machine]",
        ),
        click.option("--actors", type=click.IntRange(1), help=f"Workers on it.  [default: {by_default}]"),
    )


def check_engine_options(options: dict[str, Any]) -> None:
    """No option may be ignored in silence."""
    if options["engine"] == "local" and (options["ray_address"] or options["actors"]):
        raise click.UsageError("--ray-address and --actors are for --engine ray.")


def tell_on_stderr(text: str) -> None:
    """A line that is no data; above a progress bar, where there is one."""
    from tqdm import tqdm

    tqdm.write(text, file=sys.stderr)


def tell_broken_plugins(problems: Iterable[str]) -> int:
    """Say what cannot be listed; return the exit code of a list."""
    problems = list(problems)
    for problem in problems:
        click.secho(problem, fg="red", err=True)
    return SOME_FAILED if problems else 0


def parse_names(text: str | None) -> tuple[str, ...]:
    """'a, b' -> ('a', 'b'); nothing -> ()."""
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


def parse_numbers(text: str, *, option: str = "--seeds") -> tuple[int, ...]:
    """'0,1,2' -> (0, 1, 2)."""
    try:
        return tuple(int(number) for number in text.split(","))
    except ValueError:
        raise click.UsageError(f"{option} wants numbers such as 0,1,2; got {text!r}.") from None


def parse_backbones(texts: Iterable[str]) -> dict[str, str]:
    """('segments=i3d', 'resnet50') -> {'segments': 'i3d', '': 'resnet50'}."""
    by_stream: dict[str, str] = {}
    for text in texts:
        stream, _, name = text.rpartition("=")
        if not name or stream in by_stream:
            raise click.UsageError(f"--backbone wants NAME or STREAM=NAME, once per stream; got {text!r}.")
        by_stream[stream] = name
    return by_stream


def default_root(dataset: str, root: Path | None) -> Path:
    return root or Path("data") / dataset


def pick_device(device: str) -> str:
    """`auto` resolved; raises `AqaError` for a device that is not there."""
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
    """Whether torch could find a GPU: without a driver for one it need not be asked."""
    if Path("/dev/kfd").exists():  # AMD's
        return True
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True


@contextmanager
def progress_bar(total: float | None, *, unit: str, **options: Any) -> Iterator[Any]:
    """A bar on stderr, from the first progress on; where that is a file, a line every half minute.

    Where nothing was done, because of an error or because all was there, no bar is left behind.
    """
    from tqdm import tqdm

    calm: dict[str, Any] = {} if sys.stderr.isatty() else {"mininterval": 30.0, "ascii": True}
    with tqdm(
        total=total, unit=unit, file=sys.stderr, dynamic_ncols=True, delay=UNSEEN, **calm, **options
    ) as bar:
        try:
            yield bar
        finally:
            if bar.n:
                bar.delay = 0  # the last state of a bar is shown, however short it lived


def clock_time(seconds: float) -> str:
    """Return 75.4 as '1:15', and 3675 as '1:01:15'."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def shout_about_random_weights(specs: Iterable["StreamSpec"]) -> None:
    """Nobody shall take a demo for a result."""
    if any(spec.random_weights for spec in specs):
        click.secho("RANDOM WEIGHTS: these features prove the machinery, not a paper.", fg="yellow", err=True)
