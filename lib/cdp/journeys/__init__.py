"""Journeys: the way of people through steps over days, each run a bit further."""
