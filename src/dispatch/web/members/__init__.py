"""Subscribers' own feeds: the documents of ``members/``, each with somebody's token put in."""
