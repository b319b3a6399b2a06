"""What a template may do, and how much of it: Jinja's sandbox with bounds.

Jinja's own keeps templates from Python's innards and from changing what they
are given. This one also ends those that would never end, or would fill the
memory: loops and calls are counted, and no operator or filter makes a text
longer than :data:`MAX_LENGTH`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sized
from functools import wraps
from gettext import NullTranslations
from typing import Any

from jinja2 import nodes, pass_context
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import MAX_RANGE, ImmutableSandboxedEnvironment, safe_range

MAX_STEPS = 20_000_000
"""Turns of loops in one rendering. A call counts as several: it takes that much longer."""
_CALL = 5
MAX_LENGTH = 1_000_000
"""Of what an operator, a filter or a method of a text may make."""

_WIDTH = re.compile(r"%(?:\([^()%]*+\))?[-+ #]*\.?(?:\*|\d{5,}|\d*+\.(?:\*|\d{5,}))")

_TOO_WIDE = "a field of a width that is computed, or over 9,999"


class Sandbox(ImmutableSandboxedEnvironment):
    """Raises SecurityError where a template does what it may not; its text is a noun phrase."""

    intercepted_binops = frozenset({"*", "**", "%", "+"})

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._steps = 0
        self.globals["range"] = _range
        self.filters[_COUNTED] = self._counted
        self.filters["format"] = _formatted(self.filters["format"])
        for name in ("batch", "center", "indent", "slice"):
            self.filters[name] = _measured(self.filters[name])

    def begin(self) -> None:
        """Count anew: another rendering begins."""
        self._steps = 0

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        # install() of a catalogue would change builtins.
        return not isinstance(obj, NullTranslations) and super().is_safe_attribute(obj, attr, value)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        __self._step(_CALL)
        if isinstance(__obj, LoopContext):  # a recursive loop
            args = tuple(__self._counted(__context, arg) for arg in args)
        method = getattr(__obj, "__wrapped__", __obj)  # Jinja wraps str.format
        text = getattr(method, "__self__", None)
        if isinstance(text, str):
            _refuse_large_numbers(*args, *kwargs.values())
            if method.__name__ in {"format", "format_map"}:
                _refuse_wide_fields(text)
        return super().call(__context, __obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        _BOUNDS[operator](left, right)
        return super().call_binop(context, operator, left, right)

    def _generate(
        self,
        source: nodes.Template,
        name: str | None,
        filename: str | None,
        defer_init: bool = False,
    ) -> str:
        """Jinja's hook between reading a template and compiling it: loops run through _counted."""
        for loop in source.find_all(nodes.For):
            loop.iter = nodes.Filter(
                loop.iter, _COUNTED, [], [], None, None, lineno=loop.lineno, environment=self
            )
        return super()._generate(source, name, filename, defer_init)

    @pass_context  # or loops over what is written out would be counted when it is compiled
    def _counted(self, _context: Context, values: Iterable[object]) -> Iterable[object]:
        if isinstance(values, Sized):
            self._step(len(values))
            return values
        return self._one_by_one(values)

    def _one_by_one(self, values: Iterable[object]) -> Iterator[object]:
        for value in values:
            self._step(1)
            yield value

    def _step(self, count: int) -> None:
        self._steps += count
        if self._steps > MAX_STEPS:
            raise SecurityError(f"more than {MAX_STEPS:,} turns of loops and calls")


_COUNTED = "counted by the sandbox"
"""A name that no template can write."""


def _range(*bounds: int) -> range:
    try:
        return safe_range(*bounds)
    except OverflowError:
        raise SecurityError(f"a range of more than {MAX_RANGE:,} numbers") from None


def _refuse_long_product(left: object, right: object) -> None:
    for sized, times in ((left, right), (right, left)):
        if isinstance(sized, str | list | tuple) and isinstance(times, int):
            _refuse_length(len(sized) * times)
    if isinstance(left, int) and isinstance(right, int):
        _refuse_length(left.bit_length() + right.bit_length())


def _refuse_long_power(left: object, right: object) -> None:
    if isinstance(left, int) and isinstance(right, int):
        _refuse_length(left.bit_length() * right)


def _refuse_long_sum(left: object, right: object) -> None:
    if isinstance(left, str | list | tuple) and isinstance(right, str | list | tuple):
        _refuse_length(len(left) + len(right))


def _refuse_wide_field(text: object, _values: object = None) -> None:
    if isinstance(text, str) and _WIDTH.search(text.replace("%%", "")):
        raise SecurityError(_TOO_WIDE)


def _refuse_wide_fields(text: str) -> None:
    """The same for ``str.format``."""
    for field in re.finditer(r"\{([^{}]*+)(\{?)", text.replace("{{", "")):
        if field[2] or re.search(r"\d{5}", field[1].partition(":")[2]):
            raise SecurityError(_TOO_WIDE)


def _refuse_large_numbers(*values: object) -> None:
    for value in values:
        if isinstance(value, int):
            _refuse_length(value)


def _refuse_length(length: int) -> None:
    if length > MAX_LENGTH:
        raise SecurityError(f"something longer than {MAX_LENGTH:,}")


_BOUNDS: dict[str, Callable[[object, object], None]] = {
    "*": _refuse_long_product,
    "**": _refuse_long_power,
    "+": _refuse_long_sum,
    "%": _refuse_wide_field,
}


def _formatted(format_filter: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(format_filter)
    def formatted(text: object, *values: object, **named: object) -> Any:
        _refuse_wide_field(text)
        return format_filter(text, *values, **named)

    return formatted


def _measured(filter_: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(filter_)
    def measured(*values: Any, **named: Any) -> Any:
        _refuse_large_numbers(*values[1:], *named.values())
        return filter_(*values, **named)

    return measured


__all__ = ["MAX_LENGTH", "MAX_STEPS", "Sandbox"]
