"""Published baselines of MedMNIST."""
