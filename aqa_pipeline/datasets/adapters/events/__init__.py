"""Datasets of videos that are numbered within events: their label files are pickles by event and number."""
