"""Delivery of segments to the tools that act on them: consent asked again, only what changed, in each tool's own form."""
