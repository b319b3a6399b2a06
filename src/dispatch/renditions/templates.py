"""The only place that makes a Jinja environment.

Templates come from the newsroom's own ``templates/`` folder first, file by
file, then from those that ship with Dispatch. They run sandboxed, HTML and XML
escape what they print, and a name that does not exist is an error. What an
article says is data: it is never read as a template.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache, cached_property
from gettext import GNUTranslations, NullTranslations
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import TracebackType
from typing import Any

from jinja2 import (
    BytecodeCache,
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateNotFound,
    TemplateRuntimeError,
    TemplateSyntaxError,
    UndefinedError,
)
from jinja2 import __version__ as jinja2_version
from jinja2.bccache import Bucket
from jinja2.exceptions import SecurityError
from markupsafe import Markup

from dispatch import __version__, markup
from dispatch.article import Article, Html
from dispatch.desk import Desk
from dispatch.errors import TemplateError
from dispatch.renditions.language import ENGLISH, Language, direction, lookup
from dispatch.renditions.sandbox import Sandbox

MAX_OUTPUT = 50_000_000
"""Characters of one rendition."""

_TAG = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,8}")


@cache
def shipped() -> Path:
    """The folder of the templates that ship with Dispatch."""
    inside = Path(__file__).parent.parent / "_templates"  # in the wheel
    return inside if inside.is_dir() else Path(__file__).parents[3] / "templates"


class Templates:
    """Templates and label catalogues, the newsroom's own before those that ship.

    Args:
        own: the newsroom's ``templates/`` folder; None, or one that does not
            exist, leaves those that ship.
        compiled: a folder of the user's to keep compiled templates in, as
            Python keeps its own: a second command starts sooner by a tenth.
    """

    def __init__(self, own: Path | None = None, compiled: Path | None = None) -> None:
        self.folders = [folder for folder in (own, shipped()) if folder is not None]
        self._languages: dict[str, NullTranslations] = {}
        self._environment = Sandbox(
            loader=_Files(self.folders),
            autoescape=lambda name: name is None or not name.endswith(".txt"),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            auto_reload=False,
            bytecode_cache=_Compiled(compiled) if compiled else None,
        )
        self._environment.filters |= {
            "safe_html": Markup,  # an Html value, from the allow-list
            "block_html": lambda block: Markup(markup.block_html(block)),  # noqa: S704 - the same
            "block_text": markup.block_text,
            "text": _text,
        }

    def render(self, name: str, article: Article | None, desk: Desk, /, **values: object) -> str:
        """The template ``name`` filled in.

        Templates see ``article``, ``desk``, ``lang`` (a Language), ``_`` and
        ``ngettext`` for labels, ``date``, ``long_date`` and ``clock`` for times
        in the desk's zone, the filters ``safe_html``, ``block_html``,
        ``block_text`` and ``text``, and whatever else is in ``values``.

        Raises:
            TemplateError: it is missing, broken or without end; says the file, the line where
                that is known, and what is wrong.
        """
        lang = self.language(article, desk)
        context: Mapping[str, object] = {
            "article": article,
            "desk": desk,
            "lang": lang,
            "_": lang.gettext,
            "ngettext": lang.ngettext,
            "date": lambda time: lang.date(time.astimezone(desk.timezone)),
            "long_date": lambda time: lang.long_date(time.astimezone(desk.timezone)),
            "clock": lambda time: lang.clock(time.astimezone(desk.timezone)),
            **values,
        }
        try:
            return self._printed(name, context)
        except TemplateError:
            raise
        except Exception as error:
            raise self._explained(name, error) from error

    def _printed(self, name: str, context: Mapping[str, object]) -> str:
        self._environment.begin()
        parts: list[str] = []
        length = 0
        for part in self._environment.get_template(name).generate(context):
            length += len(part)
            if length > MAX_OUTPUT:
                raise TemplateError(
                    f"{self.path(name) or name}: it prints more than {MAX_OUTPUT:,} characters."
                )
            parts.append(part)
        return "".join(parts)

    def language(self, article: Article | None, desk: Desk) -> Language:
        """The language that a rendition of ``article`` speaks: its own, else the desk's."""
        own = article.language if article else None
        tag = own or desk.language
        text = f"{article.headline} {article.standfirst or ''}" if article and not own else ""
        return Language(tag, direction(own if article else tag, text), self._translations(tag))

    @cached_property
    def catalogues(self) -> dict[str, str]:
        """The languages that labels are known in, by their tags in lower case.

        English, which the templates are written in, and each with a catalogue.
        """
        found = [p.stem for folder in self.folders for p in sorted(folder.glob("locale/*.po"))]
        tags = {tag.lower(): tag for tag in reversed(found) if _TAG.fullmatch(tag)}
        return {"en": "en", **tags}

    def spoken(self, language: Language) -> Language:
        """What labels in ``language`` really come out in: English, where it has no catalogue."""
        return language if lookup(language.tag, self.catalogues) else self._reader(ENGLISH.tag)

    def readers(self, tags: Iterable[str], language: Language) -> dict[str, Language]:
        """The languages in which readers are spoken to, by their tags.

        There are no more than there are catalogues.

        Args:
            tags: of what readers read; may be anything.
            language: that of what they read, which is not among them.
        """
        own = lookup(language.tag, self.catalogues)
        found = {lookup(tag, self.catalogues) for tag in tags} - {own}
        return {tag: self._reader(tag) for tag in sorted(filter(None, found))}

    def _reader(self, tag: str) -> Language:
        return Language(tag, direction(tag, ""), self._translations(tag))

    def path(self, name: str) -> Path | None:
        """The file that ``name`` is read from, or None where there is none."""
        found = (folder / name for folder in self.folders)
        return next((path for path in found if path.is_file()), None)

    def files(self, *prefixes: str) -> dict[str, bytes]:
        """Every file whose name begins with one of ``prefixes``, as it would be read, by name.

        Raises:
            TemplateError: one cannot be read.
        """
        found: dict[str, bytes] = {}
        for folder in self.folders:
            for path in sorted(folder.rglob("*")):
                name = path.relative_to(folder).as_posix()
                if name.startswith(prefixes) and name not in found and path.is_file():
                    try:
                        found[name] = path.read_bytes()
                    except OSError as error:
                        raise TemplateError(
                            f"{path}: it cannot be read: {error.strerror}."
                        ) from error
        return dict(sorted(found.items()))

    def _translations(self, tag: str) -> NullTranslations:
        name = lookup(tag, self.catalogues) or ENGLISH.tag
        if name not in self._languages:
            path = self.path(f"locale/{name}.po")
            self._languages[name] = _catalogue(path) if path else NullTranslations()
        return self._languages[name]

    def _explained(self, name: str, error: Exception) -> TemplateError:
        if isinstance(error, TemplateNotFound) and error.name == name:
            where = " or ".join(str(folder) for folder in self.folders)
            return TemplateError(f"There is no template {name} in {where}.")
        if isinstance(error, TemplateSyntaxError):
            file = error.filename or str(self.path(name) or name)
            return TemplateError(f"{file}, line {error.lineno}: {error.message}.")
        return TemplateError(f"{self._where(name, error.__traceback__)}: {_what(error)}")

    def _where(self, name: str, traceback: TracebackType | None) -> str:
        """The innermost file of a template that the error came through, and the line if known."""
        where = str(self.path(name) or name)
        folders = tuple(f"{folder}{os.sep}" for folder in self.folders)
        while traceback:
            code = traceback.tb_frame.f_code
            if code.co_filename.startswith(folders) and not code.co_filename.endswith(".py"):
                where = f"{code.co_filename}, line {traceback.tb_lineno}"
            traceback = traceback.tb_next
        return where


def _what(error: Exception) -> str:  # noqa: PLR0911 - one for each kind
    """What went wrong inside a template, and what to do, in a sentence."""
    match error:
        case TemplateNotFound():
            return (
                f"it includes {error.name}, which does not exist. "
                "Correct the name, or add the file beside it."
            )
        case UndefinedError():
            return (
                f"{error.message}. "
                "Correct the name; docs/templates.md lists what a template can use."
            )
        case SecurityError():
            return f"a template may not do this: {str(error).rstrip('.')}."
        case RecursionError():
            return (
                "it includes, extends, imports or calls itself without end, or is nested too "
                "deeply. A template of your own takes the place of the shipped one of that name, "
                "which it cannot extend."
            )
        case TemplateRuntimeError():
            return f"{error.message}."
        case SyntaxError():  # of Python, that it was compiled to
            return f"it is nested too deeply: {error.msg}."
        case _:
            return f"{type(error).__name__}: {error}."


class _Files(FileSystemLoader):
    """Templates in folders; one that cannot be read is named."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Any]:
        try:
            return super().get_source(environment, template)
        except UnicodeDecodeError as error:
            raise TemplateError(
                f"{self._path(template)}: it is not UTF-8 from byte {error.start + 1} on. "
                "Save it in that encoding."
            ) from error
        except TemplateNotFound:  # an OSError too
            raise
        except OSError as error:
            raise TemplateError(
                f"{self._path(template)}: it cannot be read: {error.strerror}."
            ) from error

    def _path(self, template: str) -> Path:
        paths = [Path(folder) / template for folder in self.searchpath]
        return next((path for path in paths if path.is_file()), paths[0])


class _Compiled(BytecodeCache):
    """Compiled templates in a folder, each behind its SHA-256.

    Where they cannot be read or written, for whatever reason, templates are
    compiled anew.
    """

    def __init__(self, folder: Path) -> None:
        # Code of another version of either was compiled for another environment.
        self._folder = folder / f"templates-{__version__}-{jinja2_version}"

    def load_bytecode(self, bucket: Bucket) -> None:
        with suppress(Exception):
            data = (self._folder / bucket.key).read_bytes()
            digest, code = data[:32], data[32:]
            if sha256(code).digest() == digest:
                bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        code = bucket.bytecode_to_string()
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write(self._folder / bucket.key, sha256(code).digest() + code)


def _write(path: Path, data: bytes) -> None:
    """The whole file or none: another command may read it now."""
    with NamedTemporaryFile(dir=path.parent, delete=False) as file:
        new = Path(file.name)
    try:
        new.write_bytes(data)
        new.replace(path)
    except OSError:
        new.unlink()


def _text(value: object) -> str:
    """Inline HTML or a block as plain text."""
    if isinstance(value, str):
        return markup.inline_text(Html(value))
    return markup.block_text(value)  # type: ignore[arg-type]


def _catalogue(path: Path) -> NullTranslations:
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = BytesIO()
    try:
        with path.open("rb") as file:
            write_mo(compiled, read_po(file, abort_invalid=True))
        compiled.seek(0)
        return GNUTranslations(compiled)
    except Exception as error:  # of the file, its encoding, its syntax or its rule of plurals
        raise TemplateError(f"{path}: the label catalogue cannot be read: {error}.") from error


__all__ = ["Templates", "shipped"]
