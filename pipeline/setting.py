"""What a setting consists of. Knows no setting."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as documentation and parsing need it. A default such as `=PGHOST` means the value
    of that other setting. `own`: defaults of single programs, by program name."""

    name: str
    default: str
    parser: Callable[[str], Any]
    help: str
    secret: bool = False
    own: Mapping[str, str] = field(default_factory=dict)


def setting(
    default: str,
    parser: Callable[[str], Value],
    help: str,
    secret: bool = False,
    own: Mapping[str, str] | None = None,
) -> Value:
    """A field of `Settings`; its type is what `parser` returns."""
    return field(metadata={"default": default, "parser": parser, "help": help, "secret": secret, "own": own or {}})
