"""Features that others extracted, taken into the store."""
