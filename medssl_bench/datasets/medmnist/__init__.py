"""The MedMNIST data sets: their files and what is known of them."""
