"""Layers before a head that bring features to a common scale."""
