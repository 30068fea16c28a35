"""The kinds of study, one file each. A file that has a `KIND` is one: nothing else has to know of it."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable
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
    wanted = list(names) or list(every)
    for name in wanted:
        if name not in every:
            raise UserError(f"there is no kind of study called '{name}'", did_you_mean(name, every))
    return {name: every[name] for name in wanted}


def kind_in(module: str) -> Kind:
    """The kind of a module."""
    found: Kind = import_module(module).KIND
    return found
