"""Forms: reading them within bounds, and the stamp that says when and where one was made.

There are no cookies and nobody is logged in: what a form may do, it may do by
the signed token in its address. The stamp keeps other sites from sending a form
in somebody's name (it is signed for one address), and machines from sending it
the moment they see it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from hashlib import sha256
from urllib.parse import parse_qsl

from itsdangerous import BadSignature, TimestampSigner
from python_multipart.multipart import parse_options_header
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

MOST = 16_384
"""Bytes of a form."""
LATEST = 86_400
"""Seconds after which a form is shown once more before it is believed."""
_FIELDS = 50
_MEDIA_TYPE = "application/x-www-form-urlencoded"


async def read(request: Request, fields: int = _FIELDS) -> dict[str, str]:
    """The fields of the form in a request's body; the first of those with one name.

    Args:
        fields: that it may have, at most.

    Raises:
        HTTPException: 413 where it is too long, 415 where it is no form, 400 where it is broken.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in (_MEDIA_TYPE, "multipart/form-data", ""):
        raise HTTPException(415, f"A form is sent as {_MEDIA_TYPE}.")
    if kind == "multipart/form-data":
        return await _multipart(request, fields)
    body = await bounded(request, MOST)
    try:
        pairs = parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, max_num_fields=fields, errors="strict"
        )
    except ValueError:
        raise HTTPException(400, "The form cannot be read.") from None
    return _first(pairs)


async def bounded(
    request: Request, most: int, hold: Callable[[int], None] = lambda _size: None
) -> bytes:
    """The body of a request.

    Args:
        hold: called with the size of each part that came, before it is kept; may refuse it.

    Raises:
        HTTPException: 413 where it has more than ``most`` bytes, 400 where it breaks off; and
            whatever ``hold`` raises.
    """
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > most:
        raise HTTPException(413, f"That is longer than {most:,} bytes.")
    parts, size = [], 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > most:
                raise HTTPException(413, f"That is longer than {most:,} bytes.")
            hold(len(part))
            parts.append(part)
    except ClientDisconnect:
        raise HTTPException(400, "The request breaks off.") from None
    return b"".join(parts)


async def _multipart(request: Request, fields: int) -> dict[str, str]:
    """RFC 8058 lets mail programs send their one click so, too."""
    _, about = parse_options_header(request.headers["content-type"])
    if about.get(b"charset", b"utf-8").lower() not in (b"utf-8", b"us-ascii"):
        raise HTTPException(415, "A form is sent in UTF-8.")  # Python knows a hundred others
    body = await bounded(request, MOST)

    async def parts() -> AsyncGenerator[bytes, None]:
        yield body

    parser = MultiPartParser(
        request.headers, parts(), max_files=0, max_fields=fields, max_part_size=MOST
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError):
        raise HTTPException(400, "The form cannot be read.") from None
    return _first((name, str(value)) for name, value in form.multi_items())


def _first(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for name, value in pairs:
        fields.setdefault(name, value)
    return fields


class Stamps:
    """Makes and checks the hidden field ``stamp`` of forms.

    Args:
        key: a secret of this newsroom.
    """

    def __init__(self, key: str) -> None:
        self._key = key

    def make(self, address: str) -> str:
        """For a form that is sent to the path ``address``."""
        return self._signer(address).sign(b"").decode()

    def age(self, fields: Mapping[str, str], address: str) -> float | None:
        """Seconds since the form was made; None where it was not made here for ``address``, or is
        older than :data:`LATEST`."""
        signer = self._signer(address)
        try:
            _, made = signer.unsign(fields.get("stamp", ""), max_age=LATEST, return_timestamp=True)
        except BadSignature:  # and SignatureExpired, which is one
            return None
        return signer.get_timestamp() - made.timestamp()

    def _signer(self, address: str) -> TimestampSigner:
        return TimestampSigner(
            self._key, f"dispatch.web.form {address}", key_derivation="hmac", digest_method=sha256
        )
