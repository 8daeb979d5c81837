"""The synthetic dataset: rendered routines with known scores."""
