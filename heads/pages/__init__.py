"""Self-contained HTML pages: they show data that others computed, and know no network."""
