"""Image folders: one folder for each class, read as a person would, or refused."""
