"""Requests put to Surehook and to the packages of others, and the explanations of where they differ."""
