"""The files that ``medssl-bench new-plugin`` writes; ``$name`` and ``$module`` stand for the plugin's names."""
