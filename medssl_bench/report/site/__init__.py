"""A static site of several suites' results."""
