"""Measurement: which contact brought an order, key figures by month, and a report that anybody can open."""
