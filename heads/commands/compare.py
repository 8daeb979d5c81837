"""`aqa compare`: is one run better than another?"""

from pathlib import Path

import click

from aqa_pipeline.commands.options import EXISTING, example
from aqa_pipeline.commands.outputs import OUTPUT_FILE


@click.command(epilog=example("aqa compare runs/skating runs/skating-released"))
@click.argument("run_a", type=EXISTING, metavar="RUN_A")
@click.argument("run_b", type=EXISTING, metavar="RUN_B")
@click.option("--json", "json_path", type=OUTPUT_FILE, help="Also write this file.")
def compare(run_a: Path, run_b: Path, json_path: Path | None) -> None:
    """Test whether RUN_A is better than RUN_B, by a paired bootstrap over their common test videos.

    Prints the difference of Spearman's correlations (A minus B; accuracies for a two-class target), its 95 %
    interval over videos and seeds, and a two-sided p, per split and overall. Both runs must have the same
    dataset, target and test videos.
    """
    import json

    from aqa_pipeline.store import write_whole
    from heads.evaluation.compare import compare as measure
    from heads.evaluation.compare import format_comparison

    comparison = measure(run_a, run_b)
    click.echo(format_comparison(comparison))
    if json_path is not None:
        json_path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(json_path, (json.dumps(comparison.to_dict(), indent=2) + "\n").encode())
