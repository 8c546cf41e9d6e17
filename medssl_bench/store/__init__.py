"""The store: finished artefacts and their records, by content key."""
