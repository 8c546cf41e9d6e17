"""Watchers for medssl-bench that log runs to experiment trackers."""
