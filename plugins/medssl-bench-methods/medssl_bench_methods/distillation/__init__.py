"""Methods in which a network learns from another one: BYOL, SimSiam, distillation."""
