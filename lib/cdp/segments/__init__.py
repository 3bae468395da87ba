"""Audiences: rules in YAML, their members, and how these change through time."""
