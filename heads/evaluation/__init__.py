"""How good the predictions of a run are, with confidence intervals."""
