"""Stored features and labels as batches of tensors."""
