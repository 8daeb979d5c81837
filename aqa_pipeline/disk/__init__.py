"""Write and lock folders safely, and explain errors of the disk."""
