"""From the options of a fit to its plan."""
