"""The files that ``medssl-bench new-plugin`` writes; ``$name`` and ``$module`` are replaced by the plugin's names."""
