"""Write labels: change rows of a user's table of scores as the readers of `datasets` expect them."""
