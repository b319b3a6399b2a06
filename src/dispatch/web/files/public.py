"""The files of ``public/`` over HTTP: feeds and pages, from memory.

A request names a file by its path; :class:`PublicFiles` finds it, and :class:`PublicFile` knows
its answers. Two roads lead there: :class:`PublicApp`, an ASGI application, which looks at the
disk each time; and :class:`dispatch.web.server.connection.Connection`, which answers what was
asked for a moment ago without anything in between.

Ranges are not served (RFC 9110, 14.2 leaves that open): feeds and pages are small, and are
read whole or not at all.
"""

from __future__ import annotations

import asyncio
import logging
import os
import stat
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from dispatch.errors import SettingsError
from dispatch.settings import Settings
from dispatch.web.files import places
from dispatch.web.files.asked import Asked
from dispatch.web.files.file import Answer, PublicFile, Version
from dispatch.web.files.headers import kind_of, links
from dispatch.web.files.negotiation import acceptable
from dispatch.web.files.paths import address_of, file_of
from dispatch.web.files.shelf import Shelf

MEMORY = 64 * 1024 * 1024
"""Bytes of files that are kept in memory, with their compressed forms."""
_PART = 16
"""No file may take more than this part of the memory; larger ones are read from the disk."""
_CHUNK = 256 * 1024
"""Bytes that are read at once of a file on the disk."""
_INDEX = "index.html"
_METHODS = ("GET", "HEAD")
_TRIES = 3
"""A large file that is replaced each time we open it is being written in its place, not placed."""

_log = logging.getLogger("dispatch.web")


@dataclass(frozen=True, slots=True)
class Moved:
    """What was asked for is a folder that has a page, without the slash at its end.

    Args:
        location: where it is, relative to what was asked for: no host is named that a stranger
            chose, and it is right behind a proxy that adds a prefix, too.
    """

    location: str


class PublicFiles:
    """The files under a folder, ready to be sent.

    One thread does all that waits on the disk, and owns what is known of it; another one
    compresses. The event loop reads :attr:`ready`, and awaits the rest.

    Args:
        folder: ``<out>/public``; it may come into being later.
        settings: whose site_url and hubs stand in the Link fields of feeds, desk by desk.
        headers: more header fields for every whole answer, such as Strict-Transport-Security.
        memory: bytes of files that are kept in memory.

    Attributes:
        ready: what was asked for and looked at a moment ago, by the path in a request. It is as
            fresh as :meth:`refresh` is called often.
    """

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        *,
        headers: Mapping[str, str] | None = None,
        memory: int = MEMORY,
    ) -> None:
        self.ready: dict[bytes, PublicFile] = {}
        self._folder = folder
        self._settings = settings
        self._headers = [(name.lower(), value) for name, value in (headers or {}).items()]
        self._largest = memory // _PART
        self._shelf = Shelf(memory)
        self._keeper = ThreadPoolExecutor(1, "public-files")
        self._press = ThreadPoolExecutor(1, "compression")
        self._refreshing = False

    async def find(self, path: bytes) -> PublicFile | Moved | None:
        """What a request's path leads to, as it is on the disk now; None: nothing.

        Args:
            path: as it came, without the query.
        """
        name = file_of(path)
        if name is None:
            return None
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._keeper, self._find, name, path)

    async def answer(self, file: PublicFile, asked: Asked) -> Answer:
        """The answer to a GET of ``file``."""
        codings = acceptable(asked.accept_encoding)
        conditions = (asked.none_match, asked.modified_since)
        while (answer := file.answer(codings, *conditions)) is None:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._press, file.press_for, codings)
        if file.wanted:
            self._soon(self._keeper, self._press_wanted, file)
        return answer

    async def open(self, file: PublicFile) -> BinaryIO | None:
        """The file on the disk, to be read and closed; None where it is another version by now."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._keeper, self._open, file)

    def refresh(self) -> None:
        """Look at the files that are in use, in the background.

        Called twice a second, it keeps what is sent no older than that; where the disk hangs,
        what is in memory is sent on.
        """
        if not self._refreshing:
            self._refreshing = True
            self._soon(self._keeper, self._refresh)

    def close(self) -> None:
        """Let go of the threads; what is asked for after that is an error."""
        self._keeper.shutdown(wait=False, cancel_futures=True)
        self._press.shutdown(wait=False, cancel_futures=True)

    @staticmethod
    def _soon(pool: ThreadPoolExecutor, work: Callable[..., None], *values: object) -> None:
        """Have work done that nobody waits for; not at all once the files are closed."""
        with suppress(RuntimeError):
            pool.submit(work, *values)

    # What follows runs in the keeper's thread, one at a time.

    def _find(self, name: str, path: bytes) -> PublicFile | Moved | None:
        found = self._looked_up(name)
        if not isinstance(found, PublicFile) or found.data is None:
            self.ready.pop(path, None)
        elif path in _addresses(found.name):  # other spellings never end
            self.ready[path] = found
        return found

    def _looked_up(self, name: str) -> PublicFile | Moved | None:
        place = places.within(self._folder, name)
        if place is None:
            return None
        if place.is_dir():
            if name and not name.endswith("/"):
                is_page = places.within(self._folder, f"{name}/{_INDEX}") is not None
                return Moved(f"./{quote(name.rpartition('/')[2])}/") if is_page else None
            name += _INDEX
            place = places.within(self._folder, name)
        elif name.endswith("/"):
            return None
        return self._current(name, place) if place else None

    def _current(self, name: str, place: Path) -> PublicFile | None:
        """The file as it is now: what is known of it, or read again; None where it is none."""
        known = self._shelf.take(name)
        try:
            if known is not None and Version.of(place.stat()) == known.version:
                return known
            file = self._read(name, place)
        except PermissionError as error:
            _log.warning(f"{self._folder / name} cannot be read: {error.strerror}.")
            return None
        except OSError:  # it went away
            return None
        if file is not None:
            self._place(file)
        return file

    def _read(self, name: str, place: Path) -> PublicFile | None:
        with places.opened(place) as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                return None
            data = file.read(found.st_size) if found.st_size <= self._largest else None
        kind = kind_of(name)
        more = list(self._headers)
        if kind.feed:
            more.append(("link", self._links(name, topic=kind.topic)))
        return PublicFile(name, Version.of(found), data, kind, more)

    def _links(self, name: str, *, topic: bool) -> str:
        try:
            settings = self._settings.for_desk(name.partition("/")[0])
        except SettingsError:  # the desk is told so wherever it publishes
            settings = self._settings
        return links(settings.site_url + address_of(name), settings.hubs if topic else ())

    def _place(self, file: PublicFile) -> None:
        for fallen in self._shelf.put(file):
            for address in _addresses(fallen.name):
                self.ready.pop(address, None)

    def _open(self, file: PublicFile) -> BinaryIO | None:
        place = places.within(self._folder, file.name)
        if place is None:
            return None
        try:
            opened = places.opened(place)
        except OSError:
            return None
        if Version.of(os.fstat(opened.fileno())) == file.version:
            return opened
        opened.close()
        return None

    def _refresh(self) -> None:
        """Look at what was asked for since the last time; what was not is not ready any more."""
        self._refreshing = False
        ready = list(self.ready.items())
        used = {file.name for _, file in ready if file.asked}
        for path, file in ready:
            file.asked = False
            if file.name not in used:
                self.ready.pop(path, None)
            elif self._changed(file):
                self._find(file_of(path) or "", path)
            else:
                self._shelf.take(file.name)
                self._press_wanted(file)

    def _changed(self, file: PublicFile) -> bool:
        try:
            return Version.of((self._folder / file.name).stat()) != file.version
        except OSError:
            return True

    def _press_wanted(self, file: PublicFile) -> None:
        while file.wanted:
            self._soon(self._press, self._press_one, file, file.wanted.pop())

    def _press_one(self, file: PublicFile, coding: str) -> None:
        """In the other thread."""
        file.press(coding)
        self._soon(self._keeper, self._weigh, file)

    def _weigh(self, file: PublicFile) -> None:
        if self._shelf.take(file.name) is file:
            self._place(file)


def _addresses(name: str) -> tuple[bytes, ...]:
    """The paths that a file is asked for with, each in its one proper spelling."""
    address = address_of(name)
    if name == _INDEX or name.endswith(f"/{_INDEX}"):
        return address.encode(), address.removesuffix(_INDEX).encode()
    return (address.encode(),)


class PublicApp:
    """The files as an ASGI application, to be what a router falls back to.

    ``app.router.default = PublicApp(files)``. What is not there is Starlette's
    ``HTTPException(404)``, so that the application says it in its own words; another method than
    GET and HEAD is a 405 with Allow.
    """

    def __init__(self, files: PublicFiles) -> None:
        self.files = files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("raw_path") or quote(scope["path"]).encode()
        response = await self._response(scope["method"], path, Headers(scope=scope))
        await response(scope, receive, send)

    async def _response(self, method: str, path: bytes, headers: Headers) -> Response:
        asked = Asked.of(headers)
        for _ in range(_TRIES):
            found = await self.files.find(path)
            if found is None:
                raise HTTPException(404)
            if method not in _METHODS:
                raise HTTPException(405, headers={"Allow": ", ".join(_METHODS)})
            if isinstance(found, Moved):
                return Response(status_code=308, headers={"Location": found.location})
            answer = await self.files.answer(found, asked)
            if answer.body is not None or method == "HEAD":
                return _exactly(Response(answer.body if method == "GET" else b""), answer)
            opened = await self.files.open(found)
            if opened is not None:
                return _exactly(_FromDisk(opened, found.version.size), answer)
        raise HTTPException(503, headers={"Retry-After": "1"})


def _exactly(response: Response, answer: Answer) -> Response:
    response.status_code = answer.status
    response.raw_headers = list(answer.fields)
    return response


class _FromDisk(StreamingResponse):
    """The first ``size`` bytes of an open file, which is closed at the end, however it ends."""

    def __init__(self, opened: BinaryIO, size: int) -> None:
        super().__init__(self._chunks(opened, size))
        self._opened = opened

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._opened:
            await super().__call__(scope, receive, send)

    @staticmethod
    async def _chunks(opened: BinaryIO, size: int) -> AsyncIterator[bytes]:
        while size > 0:
            chunk = await asyncio.to_thread(opened.read, min(size, _CHUNK))
            if not chunk:  # somebody cut it short: the connection says so to the client
                return
            size -= len(chunk)
            yield chunk
