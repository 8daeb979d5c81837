"""Entries of the zoo, one file per family of networks. Nothing here imports torch."""
