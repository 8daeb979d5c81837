"""What of a dataset is there, and what is missing."""
