"""An extraction from its start to its report."""
