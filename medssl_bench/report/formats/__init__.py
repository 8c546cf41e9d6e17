"""The forms in which a leaderboard is written: console, Markdown, LaTeX, CSV and JSON."""
