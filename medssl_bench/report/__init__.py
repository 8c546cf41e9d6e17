"""Leaderboards, statistics and pictures, all made from the store alone."""
