"""Generated data sets: pictures drawn by formula, of any size and number, the same on every machine."""
