"""The table, as it came to be."""
