"""Sheets of pictures that show what the networks see."""
