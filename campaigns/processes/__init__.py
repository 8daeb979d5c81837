"""Commands in processes of their own, and what Linux says of a process."""
