"""Heads that score a video by how much it shows of each of four grades."""
