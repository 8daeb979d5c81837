"""Stage 2: features -> score. Meets stage 1 only in the store."""
