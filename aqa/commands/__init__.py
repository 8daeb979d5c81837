"""Commands that need both stages."""
