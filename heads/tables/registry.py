"""The tables by name. Importing this module imports no torch."""

from aqa_pipeline.errors import UnknownName
from heads.tables.papers import action_net, tsa_net, tsa_net_cost, weight_decider
from heads.tables.table import Table

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        action_net.TABLE_1,
        action_net.TABLE_2,
        action_net.TABLE_3,
        action_net.TABLE_4,
        weight_decider.TABLE_1A,
        weight_decider.TABLE_1B,
        weight_decider.TABLE_3,
        tsa_net.TABLE_1,
        tsa_net.TABLE_2,
        tsa_net_cost.TABLE_3,
        tsa_net.TABLE_4,
        tsa_net_cost.TABLE_5,
        tsa_net.TABLE_6,
    )
}


def find_table(name: str) -> Table:
    """Return the table of that name; raise `UnknownName` if there is none."""
    if name not in TABLES:
        raise UnknownName("table", name, TABLES)
    return TABLES[name]
