"""Extracts as sent: every row of every file lands in bronze or in quarantine."""
