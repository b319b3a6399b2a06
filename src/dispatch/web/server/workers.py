"""Several processes that share one listening socket, and the one that looks after them.

Each worker is a whole server. The one that looks after them serves nothing: it
starts another where one died, and passes on that it is time to stop. Workers see
when it is gone, and stop, too (:class:`dispatch.web.server.serving.Server`).
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import tempfile
import time
from collections.abc import Callable
from typing import NoReturn

from dispatch.web import logs
from dispatch.web.metrics import FOLDER

_AT_ONCE = 30
"""Seconds after which a worker that was told to stop, and has not, is killed."""
_BREATH = 2.0
"""Seconds: a worker that lived for less is started again only after a second."""

_SIGNALS = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGALRM)

_log = logging.getLogger("dispatch.web")


def run(number: int, work: Callable[[], None], listener: socket.socket) -> int:
    """Keep ``number`` processes at ``work`` until SIGTERM or Ctrl-C, and end with the last of them.

    A second Ctrl-C kills them, and so does the end of their time.

    Args:
        work: serves until its process is sent SIGTERM, which may be more than once.
        listener: what they all listen on; closed when it is time to stop, so that nobody is
            taken who would not be served.

    Returns:
        0, or 1 where one had to be killed.
    """
    with tempfile.TemporaryDirectory(prefix="dispatch-metrics-") as folder:
        os.environ[FOLDER] = folder
        gc.collect()
        gc.freeze()  # what is there already is shared with the workers, and stays so
        # Signals wait for sigwait. Without a handler, some systems would drop SIGCHLD.
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            return _Workers(work, before).keep(number, listener)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            del os.environ[FOLDER]


class _Workers:
    def __init__(self, work: Callable[[], None], unblocked: set[int | signal.Signals]) -> None:
        self._work = work
        self._unblocked = unblocked
        self._started: dict[int, float] = {}
        """When each that lives was started, by its process id."""
        self._stopping = False
        self._killed = False

    def keep(self, number: int, listener: socket.socket) -> int:
        for _ in range(number):
            self._start()
        while self._started:
            came = signal.sigwait(_SIGNALS)
            if came == signal.SIGCHLD:
                self._reap()
            elif came == signal.SIGALRM or (self._stopping and came == signal.SIGINT):
                self._killed = True
                _log.error("What workers have under way is broken off.")
                self._tell(signal.SIGKILL)
            else:
                self._stopping = True
                listener.close()
                signal.alarm(_AT_ONCE)
                self._tell(signal.SIGTERM)
        signal.alarm(0)
        return int(self._killed)

    def _start(self) -> None:
        process = os.fork()
        if process == 0:
            self._become_worker()
        self._started[process] = time.monotonic()

    def _become_worker(self) -> NoReturn:
        status = 1
        try:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal tells all; one is enough
            signal.pthread_sigmask(signal.SIG_SETMASK, self._unblocked)
            self._work()
            status = 0
        except BaseException as error:
            _log.critical("A worker failed.", exc_info=error)
        finally:
            os._exit(status)  # nothing of what the parent has to clean up is ours

    def _reap(self) -> None:
        """See who died, and start another in the place of each."""
        from prometheus_client.multiprocess import mark_process_dead

        for process in list(self._started):
            ended, status = os.waitpid(process, os.WNOHANG)
            if not ended:
                continue
            lived = time.monotonic() - self._started.pop(process)
            mark_process_dead(process)  # type: ignore[no-untyped-call]
            if self._stopping:
                continue
            code = os.waitstatus_to_exitcode(status)
            facts: logs.Facts = {"worker": process, "status_of_exit": code}
            _log.error("A worker died; another takes its place.", extra={"facts": facts})
            if lived < _BREATH:
                time.sleep(1)
            self._start()

    def _tell(self, number: signal.Signals) -> None:
        for process in self._started:
            os.kill(process, number)
