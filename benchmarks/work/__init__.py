"""What benchmarks time: rendered videos, the released ways, training steps."""
