"""Decoding of videos, in processes of their own."""
