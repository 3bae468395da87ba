"""Every table that the project declares."""

import importlib

LAYERS = ("silver", "identity", "gold", "activation", "ops")
TABLES = [t for layer in LAYERS for t in importlib.import_module(f"cdp.tables.{layer}").TABLES]
