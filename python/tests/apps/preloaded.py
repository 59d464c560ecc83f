"""The Flask application of a server that loads it once, records in it, and then forks its workers."""

from deliveries import deliver
from flask_app import app

__all__ = ["app"]

deliver("parent", 50)
