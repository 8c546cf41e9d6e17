"""Images without labels: files below a folder, or an array."""
