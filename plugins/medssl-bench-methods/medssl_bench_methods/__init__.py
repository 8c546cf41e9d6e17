"""The self-supervised methods of the field as plugins of medssl-bench; a package for each family."""
