"""Write films that browsers play."""
