"""Runs suites on a cluster: an engine places processes, and the store and its leases stay the truth."""
