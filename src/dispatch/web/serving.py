"""Running the server: one process, or several that share the port."""

from __future__ import annotations

from pathlib import Path

import uvicorn

from dispatch.settings import Settings
from dispatch.web.app import create
from dispatch.web.site import Site


def serve(out: Path, settings: Settings) -> None:
    """Serve the folder ``out`` until it is stopped."""
    host, port = settings.listen
    uvicorn.run(create(Site(out, settings)), host=host, port=port, access_log=False)
