"""The card of a trained model: what it is, what it was trained on, how well it does, and who may use it."""
