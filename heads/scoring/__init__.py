"""Scores of new videos, and what is shown of them."""
