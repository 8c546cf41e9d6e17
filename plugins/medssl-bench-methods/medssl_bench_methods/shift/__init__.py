"""Data sets made of others, to ask what an encoder is worth where data change, and an analysis of unknown classes."""
