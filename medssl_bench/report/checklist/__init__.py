"""Drafts for reporting guidelines, filled with what records tell."""
