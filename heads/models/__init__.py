"""The networks of the heads, one head a file."""
