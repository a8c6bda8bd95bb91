"""Environments of conda: what conda installed is locked, sealed and installed again, beside what pip installed."""
