"""Training by several processes, one per GPU, that `torchrun` starts."""
