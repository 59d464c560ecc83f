"""Rows of every provider of the table, and the packages of others that confirm them."""

from . import accepted, encodings, forms, headers, in_body, lists, macs, times, tokens, urls

PARTS = (accepted, forms, in_body, tokens, urls, lists, headers, encodings, macs, times)
