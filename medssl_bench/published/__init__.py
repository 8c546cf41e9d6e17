"""Published tables as plugins describe them: their shape, their numbers and their claims."""
