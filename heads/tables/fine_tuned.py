"""The papers' own setting beside the frozen one: rows that train the backbone together with the head.

Weight-Decider and TSA-Net were trained end to end. Their tables here hold heads on frozen features, and with
`aqa reproduce --fine-tune` a second row for each of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from aqa_pipeline.errors import RunError
from heads.data.streams import PIXELS
from heads.recipes.fine_tuned import TRAININGS
from heads.registry import find_head
from heads.tables.table import ExtractionChoice, Method, Row, StoredFrames, Table, TrainedBackbone

SUFFIX = "-fine-tuned"
LABEL = "fine-tuned end to end"
NO_BACKBONE = ("",)  # of the stream pixels, which no network makes

# By the stream of the frozen features: the size of Weight-Decider 4.1, and of TSA-Net 4.2, whose tubes need
# the athlete. The windows of both papers lie within the last 109 frames.
FRAMES: Mapping[str, StoredFrames] = {
    "clips": StoredFrames(171, 128, 109),
    "tubes": StoredFrames(455, 256, 109, tracker="siammask"),
}

NOTE = (
    f"Rows '{LABEL}' are not frozen: backbone and head are trained together from stored frames, as in the "
    "paper, and compared with the same printed value. What is said above of FROZEN features or stages is of "
    "the other rows."
)


def with_fine_tuned(table: Table) -> Table:
    """Return the table with a fine-tuned row below every row whose head its paper trains end to end.

    Rows that would be the same training get one between them, below the first. Raises `RunError` for a table
    without such a row.
    """
    rows = tuple(_rows(table))
    if len(rows) == len(table.rows):
        raise RunError(
            f"--fine-tune: no head of {table.name} is trained together with a backbone in its paper. Tables "
            "of Weight-Decider (wd-...) and TSA-Net (tsa-...) have such heads."
        )
    return replace(table, rows=rows, footnotes=(*table.footnotes, NOTE))


def _rows(table: Table) -> Iterator[Row]:
    methods: list[Method] = []
    for row in table.rows:
        yield row
        method = None if row.method is None else _fine_tuned(row.method)
        if method is None or method in methods:
            continue
        methods.append(method)
        yield replace(
            row,
            name=f"{row.name}{SUFFIX}",
            label=f"{row.label}, {LABEL}",
            printed={
                name: value
                for name, value in row.printed.items()
                if isinstance(table.source_of(row, name), Method)
            },
            method=method,
            count=None,
        )


def _fine_tuned(method: Method) -> Method | None:
    """Return the method with its backbone trained; None if its paper trains no backbone with that head."""
    if method.head not in TRAININGS or method.variant == "frozen":
        return None
    ((stream, (backbone, *_)),) = method.streams.items()
    frames = FRAMES[stream]
    return Method(
        method.head,
        {PIXELS: NO_BACKBONE},
        method.variant,
        frames.facts,
        ExtractionChoice(frames=frames),
        TrainedBackbone(backbone, stream, needs_tube=find_head(method.head).reads_tubes),
    )
