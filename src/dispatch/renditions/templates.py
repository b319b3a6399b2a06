"""The only place that makes a Jinja environment.

Templates come from the newsroom's own ``templates/`` folder first, file by
file, then from those that ship with Dispatch. They run sandboxed, HTML and XML
escape what they print, and a name that does not exist is an error. What an
article says is data: it is never read as a template.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any

from jinja2 import (
    FileSystemBytecodeCache,
    FileSystemLoader,
    StrictUndefined,
    TemplateNotFound,
    TemplateSyntaxError,
    UndefinedError,
)
from jinja2 import __version__ as jinja2_version
from jinja2.bccache import Bucket
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from dispatch import __version__, markup
from dispatch.article import Article, Html
from dispatch.desk import Desk
from dispatch.errors import TemplateError
from dispatch.renditions.language import Language, direction


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
        self._environment = ImmutableSandboxedEnvironment(
            loader=FileSystemLoader(self.folders),
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
            TemplateError: it is missing or broken; says the file, the line and what is wrong.
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
            return self._environment.get_template(name).render(context)
        except (TemplateError, RecursionError):
            raise
        except Exception as error:
            raise self._explained(name, error) from error

    def module(self, name: str) -> Any:
        """The macros of a template, as attributes."""
        try:
            return self._environment.get_template(name).module
        except Exception as error:
            raise self._explained(name, error) from error

    def language(self, article: Article | None, desk: Desk) -> Language:
        """The language that a rendition of ``article`` speaks: its own, else the desk's."""
        own = article.language if article else None
        tag = own or desk.language
        text = f"{article.headline} {article.standfirst or ''}" if article and not own else ""
        return Language(tag, direction(own if article else tag, text), self._translations(tag))

    def path(self, name: str) -> Path | None:
        """The file that ``name`` is read from, or None where there is none."""
        found = (folder / name for folder in self.folders)
        return next((path for path in found if path.is_file()), None)

    def _translations(self, tag: str) -> NullTranslations:
        if tag not in self._languages:
            names = [tag.replace("_", "-"), tag.replace("_", "-").split("-")[0].lower()]
            safe = [name for name in names if name.replace("-", "").isalnum()]
            paths = (self.path(f"locale/{name}.po") for name in safe if name != "en")
            path = next((path for path in paths if path), None)
            self._languages[tag] = _catalogue(path) if path else NullTranslations()
        return self._languages[tag]

    def _explained(self, name: str, error: Exception) -> TemplateError:
        if isinstance(error, TemplateNotFound):
            if error.name == name:
                where = " or ".join(str(folder) for folder in self.folders)
                return TemplateError(f"There is no template {name} in {where}.")
            return TemplateError(
                f"{self.path(name) or name}: it includes {error.name}, which does not exist. "
                "Correct the name, or add the file beside it."
            )
        if isinstance(error, TemplateSyntaxError):
            file = error.filename or str(self.path(name) or name)
            return TemplateError(f"{file}, line {error.lineno}: {error.message}.")
        file, line = self._where(name, error.__traceback__)
        if isinstance(error, UndefinedError):
            return TemplateError(
                f"{file}, line {line}: {error.message}. "
                "Correct the name; docs/templates.md lists what a template can use."
            )
        if isinstance(error, SecurityError):
            return TemplateError(f"{file}, line {line}: a template may not do this: {error}.")
        return TemplateError(f"{file}, line {line}: {type(error).__name__}: {error}.")

    def _where(self, name: str, traceback: TracebackType | None) -> tuple[str, int]:
        """The innermost template line that the error came through."""
        file, line = str(self.path(name) or name), 0
        folders = tuple(str(folder) for folder in self.folders)
        while traceback:
            code = traceback.tb_frame.f_code
            if code.co_filename.startswith(folders) and not code.co_filename.endswith(".py"):
                file, line = code.co_filename, traceback.tb_lineno
            traceback = traceback.tb_next
        return file, line


class _Compiled(FileSystemBytecodeCache):
    """Compiled templates in a folder; where that cannot be written, they are compiled anew."""

    def __init__(self, folder: Path) -> None:
        # Code of another version of either was compiled for another environment.
        super().__init__(str(folder / f"templates-{__version__}-{jinja2_version}"))

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            Path(self.directory).mkdir(parents=True, exist_ok=True, mode=0o700)
            super().dump_bytecode(bucket)


def _text(value: object) -> str:
    """Inline HTML or a block as plain text."""
    if isinstance(value, str):
        return markup.inline_text(Html(value))
    return markup.block_text(value)  # type: ignore[arg-type]


def _catalogue(path: Path) -> NullTranslations:
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import PoFileError, read_po

    compiled = BytesIO()
    try:
        with path.open("rb") as file:
            write_mo(compiled, read_po(file, abort_invalid=True))
    except (PoFileError, UnicodeDecodeError, OSError, ValueError) as error:
        raise TemplateError(f"{path}: the label catalogue cannot be read: {error}.") from error
    compiled.seek(0)
    return GNUTranslations(compiled)


__all__ = ["Templates", "shipped"]
