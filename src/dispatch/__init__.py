"""Dispatch: a newsletter and syndication publisher for news desks."""

__version__ = "0.1.0"
