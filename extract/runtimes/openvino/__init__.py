"""Runtime `openvino`: conversion, a cache of converted networks, and rewritten operations."""
