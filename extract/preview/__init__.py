"""Pictures of what the networks see."""
