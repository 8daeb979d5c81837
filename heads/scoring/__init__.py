"""Scores of new videos; `shown` holds what pages and texts say of them."""
