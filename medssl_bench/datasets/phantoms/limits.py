"""What parameters of phantoms may be."""

SMALLEST, LARGEST = 8, 512
"""Side of an image in pixels."""

MOST_NUISANCE = 2.0
