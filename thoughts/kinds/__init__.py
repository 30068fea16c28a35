"""The kinds of study, one file each. A file that has a `KIND` is one: nothing else has to know of it."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Mapping
from importlib import import_module

from core.errors import UserError, did_you_mean
from thoughts.kind import Kind


def known() -> dict[str, Kind]:
    """All kinds by their names, in the order of these."""
    found = (kind_in(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__))
    return {kind.name: kind for kind in sorted(found, key=lambda kind: kind.name)}


def chosen(names: Iterable[str]) -> dict[str, Kind]:
    """The kinds with these names; all where none is given. Raises UserError for a name that no kind has."""
    every = known()
    return {name: every[name] for name in checked_names(names, every) or every}


def checked_names(names: Iterable[str], every: Mapping[str, Kind] | None = None) -> list[str]:
    """Names of kinds. Raises UserError for one that no kind has."""
    found = list(names)
    every = known() if every is None and found else every or {}
    for name in found:
        if name not in every:
            raise UserError(f"there is no kind of study called '{name}'", did_you_mean(name, every))
    return found


def kind_in(module: str) -> Kind:
    """The kind of a module."""
    found: Kind = import_module(module).KIND
    return found
