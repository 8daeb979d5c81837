"""The attempts of an athlete: which were when, how two of them differ, and how they are aligned in time."""
