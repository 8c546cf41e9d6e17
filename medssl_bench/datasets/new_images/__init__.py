"""New images, for a model that has been trained: read as its training images were, or refused."""
