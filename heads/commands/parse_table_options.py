"""Values of options of `aqa reproduce` that are given as NAME=VALUE."""

from pathlib import Path

import click


def parse_root(text: str) -> tuple[str, Path]:
    """Return the name and the folder of a dataset."""
    name, separator, folder = text.partition("=")
    if not separator:
        raise click.UsageError(f"--root expects NAME=DIR, such as mit-skating=/data/skating; got {text!r}.")
    return name, Path(folder)


def parse_spec(text: str) -> str:
    """Return the text, checked: a stream and the start of a hash."""
    if not all(text.partition("=")):
        raise click.UsageError(f"--spec expects STREAM=HASH (see `aqa store ls`); got {text!r}.")
    return text


def parse_start(text: str) -> tuple[str, str]:
    """Return 'clips=mine.pt' as ('clips', 'mine.pt'), and 'random:0', of all streams, as ('', 'random:0')."""
    stream, _, weights = text.partition("=")
    return (stream, weights) if weights and stream.isalpha() else ("", text)
