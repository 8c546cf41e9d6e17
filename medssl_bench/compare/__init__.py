"""A run beside published work: agreement with its numbers, and what the run says of its claims."""
