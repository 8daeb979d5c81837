"""Which table cells can be run here, and what the others need."""
