"""Suite files: their schema, how they are read and composed, and errors that point at file, line and key."""
