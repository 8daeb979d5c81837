"""Going on with an interrupted training from the snapshot after its last epoch."""
