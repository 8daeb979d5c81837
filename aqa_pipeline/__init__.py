"""The core that both stages share: datasets, video, store, metrics, weights, records, errors.

Axes have this order in every array: batch clip frame channel height width dim.
Intervals are half-open `[start, stop)`; units are in the names (`pts_seconds`, `fps`).
"""
