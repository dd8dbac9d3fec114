"""Turns facts into verdicts and serves them."""

__version__ = "0.1.0"
