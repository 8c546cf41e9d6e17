"""Running a suite: the Python interface, what is checked before a run, and the run itself."""
