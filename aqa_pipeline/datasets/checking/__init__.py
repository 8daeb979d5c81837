"""Check a dataset: which files are present, and which are missing or wrong."""
