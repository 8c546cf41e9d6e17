"""The contract test for plugin authors: every component of a plugin is built, run on small data and checked."""
