"""The last line of `datasets check`, `extract` and `fit`: the command that fits what was just done."""

import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import click
from click.core import ParameterSource

PLUGINS = "aqa plug-ins"  # where a command's context keeps the files of --plugin

# The head of the paper that a dataset is known by; of all others it is `action-net`, the default everywhere.
USUAL_HEAD = "action-net"
HEAD_OF = {"mtl-aqa": "wd", "aqa7": "tsa", "fr-fs": "tsa"}
HEAD_OF_STREAM = {"clips": "wd", "tubes": "tsa"}

StreamsOf = Callable[[str], Sequence[str]]  # what a head reads, by its name

_is_last = ContextVar("is_last", default=True)


def tell_next(*words: str, then: str = "") -> None:
    """Print the command, unless another command called this one and goes on by itself.

    `then` says when to run it, where that is not at once.
    """
    if _is_last.get():
        click.echo(f"next: aqa {shlex.join(words)}" + (f"   ({then})" if then else ""))


def for_head(dataset: str) -> tuple[str, ...]:
    """Return the words that make what the dataset's own papers read, where that is not the default."""
    head = HEAD_OF.get(dataset)
    return ("--for", head) if head else ()


@contextmanager
def as_a_part() -> Iterator[None]:
    """Commands within the block are parts of another one, which knows what comes next."""
    token = _is_last.set(False)
    try:
        yield
    finally:
        _is_last.reset(token)


def fit_words(streams: Sequence[str], streams_of: StreamsOf, *, head: str | None = None) -> list[str]:
    """Return the words that name a head on these streams: `head`, else one that is known to read them."""
    head = head or next((HEAD_OF_STREAM[s] for s in streams if s in HEAD_OF_STREAM), USUAL_HEAD)
    usual, there = set(streams_of(head)), list(dict.fromkeys(streams))
    if usual <= set(there):
        return ["--head", head]
    return ["--head", head, "--streams", ",".join(s for s in there if HEAD_OF_STREAM.get(s, head) == head)]


def given_words(ctx: click.Context, *, only: Sequence[str] = (), without: Sequence[str] = ()) -> list[str]:
    """Return the options of this call as they were typed: those of these names, or all but some.

    What the environment sets stays set, and need not be said again.
    """
    words: list[str] = []
    for parameter in ctx.command.params:
        name = parameter.name or ""
        is_wanted = name in only if only else name not in without
        if not is_wanted or ctx.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
            continue
        value = ctx.meta.get(PLUGINS, ()) if name == "plugin" else ctx.params.get(name)
        option = max(parameter.opts, key=len)
        if isinstance(parameter, click.Option) and parameter.is_flag:
            words.append(option)
        else:
            for each in value if isinstance(value, tuple) else (value,):
                words += [option, str(each)]
    return words
