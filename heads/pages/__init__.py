"""Self-contained HTML pages. They show plain values; no network is imported here."""
