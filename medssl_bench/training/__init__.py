"""Training: images on the device, views, optimisers, schedules and the pretraining loop."""
