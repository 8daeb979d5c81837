"""A finished table as Markdown, LaTeX, CSV, JSON and terminal text."""
