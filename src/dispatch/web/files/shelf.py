"""The public files that are in memory, within a bound."""

from __future__ import annotations

from collections import OrderedDict

from dispatch.web.files.file import PublicFile


class Shelf:
    """Files by their names; those that nobody took for longest fall off when it is full.

    Args:
        most: bytes that they may take together.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._files: OrderedDict[str, PublicFile] = OrderedDict()
        self._weights: dict[str, int] = {}
        self._weight = 0

    def take(self, name: str) -> PublicFile | None:
        """The file of that name, which stays; None where it is not here."""
        file = self._files.get(name)
        if file is not None:
            self._files.move_to_end(name)
        return file

    def put(self, file: PublicFile) -> list[PublicFile]:
        """Place a file, in the place of another version of it; returns what fell off.

        A file that has grown, because a compressed form was added, is put again.
        """
        self.remove(file.name)
        self._files[file.name] = file
        self._weights[file.name] = file.weight
        self._weight += file.weight
        fallen = []
        while self._weight > self._most and len(self._files) > 1:
            oldest = next(iter(self._files.values()))
            self.remove(oldest.name)
            fallen.append(oldest)
        return fallen

    def remove(self, name: str) -> None:
        """Forget the file of that name, if it is here."""
        if self._files.pop(name, None) is not None:
            self._weight -= self._weights.pop(name)
