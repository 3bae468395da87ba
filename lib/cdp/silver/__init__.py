"""Canonical entities: what the sources say, in one shape, clean, the newest version of each."""
