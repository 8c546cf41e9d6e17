"""npz files with arrays of images and labels for each split, as MedMNIST has them."""
