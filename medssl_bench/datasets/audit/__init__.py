"""What is wrong with the images of a data set: copies, leaks between its parts, and images that show nothing."""
