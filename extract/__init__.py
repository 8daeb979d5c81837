"""Stage 1: video -> features. Meets stage 2 only in the store."""
