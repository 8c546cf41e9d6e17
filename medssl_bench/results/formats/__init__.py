"""The forms in which tables are written: console, Markdown, LaTeX, CSV and JSON."""
