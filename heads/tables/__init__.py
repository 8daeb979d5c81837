"""The tables of the papers: the printed values, and how each table cell is run here."""
