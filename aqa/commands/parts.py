"""Run other commands as the parts of a command."""

import shlex

import click

from aqa_pipeline.commands.next_step import as_a_part
from aqa_pipeline.errors import AqaError


def say_and_run(*arguments: str, allow: tuple[int, ...] = (0,)) -> None:
    """Print a command of `aqa` as a person would type it, and run it.

    Raises `AqaError` if its exit code is not in `allow`.
    """
    click.secho(f"\n$ aqa {shlex.join(arguments)}", bold=True)
    context = click.get_current_context()
    with as_a_part():
        code = context.find_root().command.main(list(arguments), standalone_mode=False)
    if (code or 0) not in allow:
        raise AqaError(
            f"`aqa {context.info_name}` stopped: `aqa {arguments[0]}` did not succeed (see above)."
        )
