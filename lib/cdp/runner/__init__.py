"""Runs stages: arguments in, ledger, quality and summary out."""
