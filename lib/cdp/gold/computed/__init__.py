"""Traits as conf/traits.yaml wants them: what to count and remember of a customer's timeline, orders and order lines."""
