"""Methods that use which images belong together, such as those of one patient: MICLe."""
