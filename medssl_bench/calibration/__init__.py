"""Measures what units of work cost on this machine, with the code that does the work."""
