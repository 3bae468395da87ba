"""Propensities: how likely a customer is to do something that the configuration names, or to be in some state."""
