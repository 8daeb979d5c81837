"""Print the last line of `datasets check`, `extract` and `fit`: the command to run next."""

import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

import click
from click.core import ParameterSource

PLUGINS = "aqa plug-ins"  # where a command's context keeps the files of --plugin

# The head of the best-known paper on a dataset. For all other datasets it is `action-net`, the default head.
USUAL_HEAD = "action-net"
HEAD_OF = {"mtl-aqa": "wd", "aqa7": "tsa", "fr-fs": "tsa"}
HEAD_OF_STREAM = {"clips": "wd", "tubes": "tsa"}

StreamsOf = Callable[[str], Sequence[str]]  # from the name of a head to the streams that it reads


class HeadInputs(Protocol):
    """What heads read, by the name of the head."""

    def __call__(self, head: str) -> Sequence[str]:
        """Return the streams that the head reads; raise `UnknownName`."""
        ...

    def reads_tubes(self, head: str) -> bool:
        """Return whether the head needs to know where the athlete is; raise `UnknownName`."""
        ...


_is_last = ContextVar("is_last", default=True)


def tell_next(*words: str, then: str = "") -> None:
    """Print the next command, unless the current command runs as a part of another one.

    `then` says when to run the next command, if not at once.
    """
    if _is_last.get():
        click.echo(f"next: aqa {shlex.join(words)}" + (f"   ({then})" if then else ""))


def for_head(dataset: str) -> tuple[str, ...]:
    """Return the options of `aqa extract` for the usual head of the dataset; none for the default head."""
    head = HEAD_OF.get(dataset)
    return ("--for", head) if head else ()


@contextmanager
def as_a_part() -> Iterator[None]:
    """Mark commands within the block as parts of another command, so that they print no next command."""
    token = _is_last.set(False)
    try:
        yield
    finally:
        _is_last.reset(token)


def fit_words(streams: Sequence[str], streams_of: StreamsOf, *, head: str | None = None) -> list[str]:
    """Return the options of `aqa fit` that choose a head for these streams: `head`, else the usual one."""
    head = head or next((HEAD_OF_STREAM[s] for s in streams if s in HEAD_OF_STREAM), USUAL_HEAD)
    usual, there = set(streams_of(head)), list(dict.fromkeys(streams))
    if usual <= set(there):
        return ["--head", head]
    return ["--head", head, "--streams", ",".join(s for s in there if HEAD_OF_STREAM.get(s, head) == head)]


def given_words(ctx: click.Context, *, only: Sequence[str] = (), without: Sequence[str] = ()) -> list[str]:
    """Return the options that were typed in this call: those named in `only`, or all without `without`.

    Options that come from environment variables are left out, because the variables stay set.
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
