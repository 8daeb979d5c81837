"""`aqa store`: what features there are, and whether they are sound."""

from pathlib import Path

import click

from aqa_pipeline.commands.options import SOME_FAILED, example, progress_bar, shout_about_random_weights


@click.group()
def store() -> None:
    """What features are stored, and whether they are sound."""


store_argument = click.argument(
    "path", type=click.Path(exists=True, path_type=Path), default=Path("features")
)


@store.command("ls", epilog=example("aqa store ls features"))
@store_argument
@click.option("--specs", is_flag=True, help="Show how each stream was made.")
def store_ls(path: Path, specs: bool) -> None:
    """Lists the streams in the store at PATH: one row per dataset, stream and way of making it."""
    from aqa_pipeline.store import Store
    from aqa_pipeline.tables import format_table

    found = Store(path).contents()
    rows = [
        (row.dataset, row.spec.stream, row.spec.hash, row.num_records, f"{row.num_bytes / 1e6:.1f}")
        for row in found
    ]
    click.echo(format_table(("dataset", "stream", "spec", "videos", "MB"), rows))
    for row in found if specs else ():
        facts = "\n".join(f"  {name}: {value}" for name, value in row.spec.facts.items())
        click.echo(f"\n{row.dataset} {row.spec.stream} {row.spec.hash}\n{facts}")
    shout_about_random_weights([row.spec for row in found])


@store.command("verify", epilog=example("aqa store verify features"))
@store_argument
@click.pass_context
def store_verify(ctx: click.Context, path: Path) -> None:
    """Checks every record of the store at PATH against its checksum. Exits with 3 if one is broken."""
    from aqa_pipeline.store import Store

    problems = []
    with progress_bar(None, unit=" records") as bar:
        for _, problem in Store(path).verify():
            bar.update()
            problems += [problem] if problem else []
        checked = bar.n
    click.echo(f"{checked - len(problems)} of {checked} records are sound.")
    for problem in problems:
        click.echo(f"  {problem.path}: {problem.reason}")
    ctx.exit(SOME_FAILED if problems else 0)
