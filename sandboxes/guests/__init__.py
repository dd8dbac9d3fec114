"""Programs put into boxes. They import the standard library, one domain library, and each other by relative import."""
