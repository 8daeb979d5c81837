"""Stored records against the source files that they were made from."""
