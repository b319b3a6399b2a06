"""Running the server: listening, serving until it is told to stop, and stopping without loss."""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import os
import resource
import signal
import socket
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType

import uvicorn
from starlette.applications import Starlette

from dispatch.errors import OutputError
from dispatch.settings import Settings
from dispatch.web import logs
from dispatch.web.app import create
from dispatch.web.layers.hosts import Hosts
from dispatch.web.metrics import Metrics
from dispatch.web.server import workers
from dispatch.web.server.connection import Connection, Counts
from dispatch.web.site import Site

GRACE = 20
"""Seconds for what is under way when the server is told to stop."""

_LAST_CALL = 0.5
"""Seconds in which a request that is on its way when the server is told to stop is taken still."""
_BACKLOG = 2048
_KEEP_ALIVE = 65
"""Seconds that an idle connection is kept; a proxy in front keeps its own for 60."""
_FILES = 65_536
"""Files, and so connections, that a process may have open, where the system allows it."""

_log = logging.getLogger("dispatch.web")


def serve(out: Path, settings: Settings, *, processes: int = 1, debug: bool = False) -> int:
    """Serve the folder ``out`` until SIGTERM or Ctrl-C; a second one stops at once.

    Args:
        processes: how many share the work.
        debug: errors are logged in full.

    Returns:
        0, or 1 where a worker had to be killed.

    Raises:
        OutputError: the address cannot be listened on.
        StoreError: the database cannot be opened or made.
        SettingsError: a setting makes no sense.
    """
    logs.configure(sys.stderr, debug=debug)
    _open_many_files()
    listener = listening(*settings.listen)
    settings = replace(settings, listen=listener.getsockname()[:2])
    try:
        if processes > 1:
            Site(out, settings).close()  # what is wrong with it is said once, and here
            _announce(settings, processes)
            parent = os.getpid()
            return workers.run(processes, lambda: _serve(out, settings, listener, parent), listener)
        _serve(out, settings, listener)
    finally:
        listener.close()
    return 0


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens; a ``port`` of 0 is any that is free.

    Raises:
        OutputError: it cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise OutputError(_unavailable(host, port, error)) from error
    listener.setblocking(False)
    return listener


class Server(uvicorn.Server):
    """Uvicorn's, which ends with 0 and in peace, and hands on what is counted outside the handlers.

    Args:
        parent: the process to end with; None: there is none.
        ready: called once it answers, and heeds signals.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        metrics: Metrics,
        counts: Counts,
        parent: int | None,
        ready: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._ready = ready
        self._metrics = metrics
        self._counts = counts
        self._told = (Counter[int](), Counter[str]())
        self._parent = parent

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As the parent's, and says that it is ready."""
        await super().startup(sockets)
        self._ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As the parent's, which would raise the signal once more at the end."""
        before = {
            number: signal.signal(number, self.handle_exit)
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Either signal asks for an end, a second Ctrl-C for one at once.

        SIGTERM may come twice: from the manager of the service, and from that of the workers.
        """
        self.force_exit = self.force_exit or (self.should_exit and sig == signal.SIGINT)
        self.should_exit = True

    async def on_tick(self, counter: int) -> bool:
        """Called ten times a second."""
        if counter % 10 == 0:
            self._count()
        if self._parent is not None and os.getppid() != self._parent:
            self.should_exit = True  # nobody is left to tell us
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take nothing new, answer what has come, and end.

        A client whose connection is kept may have sent its next request the moment we decide to
        stop. So for a little while each answer says that it is the last one on its connection
        (RFC 9112, 9.6), and only then are the idle ones closed.
        """
        for server in self.servers:
            server.close()
        self.server_state.default_headers = [
            *self.server_state.default_headers,
            (b"connection", b"close"),
        ]
        for connection in self.server_state.connections:
            cycle = getattr(connection, "cycle", None)
            if cycle is not None:  # it was given the headers as they were
                cycle.keep_alive = False
        if not self.force_exit:
            await asyncio.sleep(_LAST_CALL)
        await super().shutdown(sockets)
        if self.force_exit:  # what is being written is finished even so
            await self.lifespan.shutdown()
        self._count()

    def _count(self) -> None:
        """Hand on what was counted since the last time."""
        answered, cut = self._counts.answered.copy(), self._counts.cut.copy()
        for status, count in (answered - self._told[0]).items():
            self._metrics.ready.labels(str(status)).inc(count)
        for reason, count in (cut - self._told[1]).items():
            self._metrics.cut.labels(reason).inc(count)
        self._told = (answered, cut)
        self._metrics.look_at_memory()


def _serve(
    out: Path, settings: Settings, listener: socket.socket, parent: int | None = None
) -> None:
    """Serve in this process, until it is told to stop or ``parent`` is gone."""
    site = Site(out, settings)
    try:
        server = _server(create(site), settings, parent)
        gc.collect()
        gc.freeze()  # what is there now stays: looking through it would hold up requests
        server.run(sockets=[listener])
    finally:
        site.close()


def _server(app: Starlette, settings: Settings, parent: int | None) -> Server:
    counts = Counts()
    connection = Connection.bound_to(app.state.files, hosts=Hosts(settings).plain, counts=counts)
    config = uvicorn.Config(
        app,
        http=connection,
        loop="uvloop",
        ws="none",
        lifespan="on",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # dispatch.web.layers.proxies looks at them
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
        workers=1,  # whatever WEB_CONCURRENCY says
    )
    alone = parent is None  # workers are announced together
    ready = (lambda: _announce(settings, 1)) if alone else (lambda: None)
    return Server(config, app.state.metrics, counts, parent, ready)


def _announce(settings: Settings, processes: int) -> None:
    host, port = settings.listen
    where = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    many = f" in {processes} processes" if processes > 1 else ""
    _log.info(f"Serving {settings.site_url} at {where}{many}. Ctrl-C ends it.")
    if "DISPATCH_SITE_URL" not in settings.values:
        _log.warning(
            f"Links in pages and mails lead to {settings.site_url}, an example. Set "
            f"DISPATCH_SITE_URL (for a try-out, {where}), and run dispatch rebuild."
        )


def _open_many_files() -> None:
    """Every connection is an open file, and many systems allow 1,024 unless asked."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):  # where that is forbidden, it serves as many as it may
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _unavailable(host: str, port: int, error: OSError) -> str:
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    what = f"{where} cannot be listened on"
    if error.errno == errno.EADDRINUSE:
        return (
            f"{what}: something else listens there, perhaps another dispatch serve. Stop it, or "
            "choose another port with --listen or DISPATCH_LISTEN."
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return (
            f"{what}: a port below 1024 is for the system. Choose a higher one with --listen or "
            "DISPATCH_LISTEN, and have a proxy in front pass requests on to it."
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return (
            f"{what}: this machine does not have that address. Correct --listen or DISPATCH_LISTEN."
        )
    return f"{what}: {error.strerror}. Check --listen or DISPATCH_LISTEN."
