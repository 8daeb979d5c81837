"""A quick look at a table: the pipeline runs on real features and reproduces nothing."""

from dataclasses import replace

from heads.tables.table import Table

EPOCHS, SEEDS = 5, (0,)
EXIT_CODE = 4  # a full table has exit code 0 or 3


def quick_part(table: Table) -> Table:
    """Return the table with only the first split of each column."""
    columns = tuple(replace(column, splits=column.splits[:1]) for column in table.columns)
    return replace(table, columns=columns)
