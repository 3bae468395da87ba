"""Identity: which records are one person, under an id that lasts."""
