"""A bench's results as terminal table, Markdown, CSV, LaTeX, picture and page."""
