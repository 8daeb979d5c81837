"""Heads that read one vector per video: the mean over its steps."""
