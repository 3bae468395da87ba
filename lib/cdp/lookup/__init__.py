"""Lookup: a person by any identifier they ever had or by name, and all that is known of them, without Spark."""
