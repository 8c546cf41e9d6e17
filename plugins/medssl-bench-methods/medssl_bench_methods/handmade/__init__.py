"""Encoders by hand: features that nothing has learnt, as a floor that is not trivial."""
