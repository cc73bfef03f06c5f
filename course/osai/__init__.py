"""Open-source AI: the package that lessons, assignments and the command share."""

__version__ = "0.1.0"
