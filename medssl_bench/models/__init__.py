"""Trained encoders outside the store: export with a model card, import of checkpoints."""
