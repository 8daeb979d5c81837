"""The backbones' networks, as PyTorch modules."""
