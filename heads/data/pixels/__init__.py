"""The clips that fine-tuning trains on, cut from stored pictures."""
