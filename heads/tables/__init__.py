"""The tables of the papers: what they print, and how each cell is run here."""
