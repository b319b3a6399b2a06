"""What Prometheus reads: counters of this process, and what waits in the database.

Several workers count into files of one folder (PROMETHEUS_MULTIPROC_DIR, which the
supervisor of workers sets), and whichever is asked adds them up. prometheus_client
decides that when it is imported: that is why it is imported by :class:`Metrics`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from dispatch import __version__

if TYPE_CHECKING:
    from prometheus_client import Metric

    from dispatch.store.waiting import Waiting

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that names the folder of several workers' counters; unset: there is one process."""

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_PIECES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """The counters of one process; each has a lock of its own, and any thread may count."""

    def __init__(self) -> None:
        from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

        # They would be a second series beside each, which nobody asked for.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.requests = Counter(
            "dispatch_http_requests",
            "Requests that were answered by a handler, by the pattern of their address.",
            ["route", "method", "status"],
            registry=None,
        )
        self.seconds = Histogram(
            "dispatch_http_request_seconds",
            "How long a request took.",
            ["route"],
            registry=None,
            buckets=_SECONDS,
        )
        self.in_flight = Gauge(
            "dispatch_http_requests_in_flight",
            "Requests that are being answered.",
            registry=None,
            multiprocess_mode="livesum",
        )
        self.ready = Counter(
            "dispatch_http_ready_answers",
            "Requests for public files that were answered from memory, past the handlers.",
            ["status"],
            registry=None,
        )
        self.cut = Counter(
            "dispatch_connections_cut",
            "Connections that were ended before their time.",
            ["reason"],
            registry=None,
        )
        self.commits = Histogram(
            "dispatch_commit_pieces",
            "Pieces of work that a group commit held.",
            registry=None,
            buckets=_PIECES,
        )
        self.memory = Gauge(
            "dispatch_resident_memory_bytes",
            "Memory of the process, or of each worker.",
            registry=None,
            multiprocess_mode="liveall",
        )

    def look_at_memory(self) -> None:
        """Take down how much memory this process has, where the system tells."""
        pages = resident_pages()
        if pages is not None:
            self.memory.set(pages * os.sysconf("SC_PAGE_SIZE"))

    def exposed(self, waiting: Waiting | None) -> bytes:
        """Everything, in the text format.

        Args:
            waiting: what waits in the database; None: it could not be read.
        """
        from prometheus_client import CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        self.look_at_memory()
        registry = CollectorRegistry()
        registry.register(_Told(waiting))
        if folder := os.environ.get(FOLDER):
            MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
        else:
            for metric in vars(self).values():
                registry.register(metric)
        return generate_latest(registry)


class _Told:
    """What the database told, as metrics."""

    def __init__(self, waiting: Waiting | None) -> None:
        self._waiting = waiting

    def collect(self) -> Iterable[Metric]:
        from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily

        yield InfoMetricFamily("dispatch", "Which Dispatch it is.", {"version": __version__})
        readable = int(self._waiting is not None)
        yield GaugeMetricFamily(
            "dispatch_database_readable", "Whether the database could be read.", readable
        )
        if self._waiting is not None:
            yield from _of_database(self._waiting)


def _of_database(waiting: Waiting) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily

    yield GaugeMetricFamily(
        "dispatch_signups_waiting",
        "Sign-ups that dispatch run has not worked off.",
        waiting.signups,
    )
    yield GaugeMetricFamily(
        "dispatch_pings_waiting", "Hubs' feeds that are to be told of a change.", waiting.pings
    )
    mail = GaugeMetricFamily(
        "dispatch_mail", "Copies of mailings that are not done with, by state.", labels=["state"]
    )
    for state, count in waiting.mail.items():
        mail.add_metric([state], count)
    yield mail


def resident_pages() -> int | None:
    """Pages of memory that this process has; None where there is no /proc."""
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
