"""The networks themselves, as PyTorch modules."""
