"""The tables of the papers as data."""
