"""Plans: the DAG of all stages a suite needs, their content keys, what is stale and what it will cost."""
