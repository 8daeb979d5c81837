"""Many fits in several processes, and the time that they still take."""
