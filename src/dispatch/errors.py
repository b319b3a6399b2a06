"""What can go wrong, as sentences for the person at the desk.

    DispatchError
    ├── ArticleError     the article handed in cannot be used as it is
    ├── TemplateError    a template is broken or missing
    ├── SettingsError    a setting is missing or makes no sense
    ├── StoreError       the database cannot be read or written
    ├── AudienceError    an address, a list or a segment cannot be used
    ├── DeliveryError    a mailing cannot be made or sent as it is
    └── OutputError      a result cannot be written where it belongs

Every message says what is wrong, where, and what to do. The command line
prints the message alone; ``--debug`` adds the traceback.
"""

from __future__ import annotations


class DispatchError(Exception):
    """Base of all errors that Dispatch raises on purpose."""


class ArticleError(DispatchError):
    """The article handed in cannot be used as it is."""


class TemplateError(DispatchError):
    """A template is broken or missing."""


class SettingsError(DispatchError):
    """A setting is missing or makes no sense."""


class StoreError(DispatchError):
    """The database cannot be read or written."""


class AudienceError(DispatchError):
    """An address, a list of subscribers or a segment cannot be used."""


class DeliveryError(DispatchError):
    """A mailing cannot be made or sent as it is."""


class OutputError(DispatchError):
    """A result cannot be written where it belongs."""
