"""What a plugin is: hooks, kinds of components, their parameters, and how plugins are found."""
