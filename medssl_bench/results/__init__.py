"""Results of a suite, read from a store: cells, pairs, rankings, the leaderboard, and its written forms."""
