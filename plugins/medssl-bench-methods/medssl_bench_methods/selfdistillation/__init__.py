"""Methods in which a student predicts what its own moving average, the teacher, says of another crop: DINO, iBOT."""
