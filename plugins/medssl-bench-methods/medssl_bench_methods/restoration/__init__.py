"""Methods that predict or undo what was done to an image: rotation, context restoration, Models Genesis, masking."""
