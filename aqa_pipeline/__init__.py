"""What both stages agree on: datasets, video, store, metrics, weights, records, errors.

Axes, in this order wherever they meet: batch clip frame channel height width dim.
Intervals are half-open `[start, stop)`; units are in the names (`pts_seconds`, `fps`).
"""
