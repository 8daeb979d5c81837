"""Heads whose learned queries read a sequence."""
