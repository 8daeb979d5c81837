"""From options, or from a run, to streams that are ready to run."""
