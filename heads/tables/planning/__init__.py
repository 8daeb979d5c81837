"""What of a table can be run here, and what it still needs."""
