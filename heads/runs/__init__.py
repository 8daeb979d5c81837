"""What a run leaves on disk: its config, cells and predictions."""
