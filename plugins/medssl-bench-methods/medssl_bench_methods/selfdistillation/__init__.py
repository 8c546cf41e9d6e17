"""Methods in which a student tells what its own moving average, the teacher, says of another crop: DINO, iBOT."""
