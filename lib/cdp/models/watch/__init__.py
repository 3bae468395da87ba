"""Watches models in use: what they are fed, what they say, what came true, and when their scores must not be given out."""
