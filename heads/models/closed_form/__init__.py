"""Regressors that are fitted at once to whole videos, and the stack of them."""
