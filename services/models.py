"""The models that the service answers with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.answers import Answerer
from services.http.errors import MOST_SHOWN, RefusedError
from services.served import Served


@dataclass(frozen=True)
class ServedModels:
    """By name, the default first."""

    by_name: Mapping[str, Answerer]

    def named(self, name: str | None) -> Answerer:
        """The model with this name; the default where none is given. Raises 404 where there is none."""
        if not name and self.by_name:
            return next(iter(self.by_name.values()))
        if not name or name not in self.by_name:
            named = f"no model is named {name[:MOST_SHOWN]!r}" if name else "no model is served here"
            message = f"{named}; known: {', '.join(self.by_name) or 'none'}"
            raise RefusedError(404, message, param="model", code="model_not_found")
        return self.by_name[name]

    def asked(self, model: str, repo: str) -> Answerer:
        """The model with a name, or the one that is served for a repository: its own, otherwise the first.

        Raises 400 where both are named, 404 where there is no such model or repository.
        """
        if not repo:
            return self.named(model)
        if model:
            raise RefusedError(400, "name a model or a repo, not both: a repo has one model", param="repo")
        served = [one for one in self.by_name.values() if isinstance(one, Served)]
        named = [one for one in served if one.name == repo] or [one for one in served if one.repo == repo]
        if not named:
            known = ", ".join(sorted({one.repo for one in served})) or "none"
            message = f"no repository is called {repo[:MOST_SHOWN]!r}; known: {known}"
            raise RefusedError(404, message, param="repo", code="repo_not_found")
        return named[0]
