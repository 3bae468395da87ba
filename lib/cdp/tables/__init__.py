"""Every table's declaration, a module a layer. See `cdp.base.contracts`."""
