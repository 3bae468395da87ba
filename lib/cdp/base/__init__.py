"""What every stage stands on: errors, contracts, settings, the lake, the run."""
