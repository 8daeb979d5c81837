"""Watching a fit while it trains: TensorBoard and MLflow, beside the run's own epochs.csv."""
