"""Build streams, which are ready to run, from options or from a run's specs."""
