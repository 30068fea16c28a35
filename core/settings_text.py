"""Settings as they are written: YAML, bounded, with the line of each key."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from yaml.composer import ComposerError

from core.errors import UserError

MOST_LEVELS = 50
MOST_NODES = 20_000
"""Of a YAML document, those that aliases stand for counted every time."""


class _Loader(yaml.SafeLoader):
    """YAML 1.1 takes 1e-4 for a word; people mean the number. What is too deep or too large is refused unread."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = self._nodes = 0
        self._sizes: dict[int, int] = {}
        """Nodes within each node, by its id."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """The next node. Raises YAMLError where it contains itself, or the document is out of bounds."""
        before, mark = self._nodes, self.peek_event().start_mark  # type: ignore[no-untyped-call]
        is_alias = self.check_event(yaml.AliasEvent)
        self._depth += 1
        if self._depth > MOST_LEVELS:
            raise ComposerError(None, None, f"nested more than {MOST_LEVELS} levels deep", mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        if is_alias and id(node) not in self._sizes:
            raise ComposerError(None, None, "an anchor contains itself: write the value out", mark)
        self._nodes += self._sizes.get(id(node), 1)
        if self._nodes > MOST_NODES:
            raise ComposerError(None, None, f"more than {MOST_NODES:,} values, with what aliases stand for", mark)
        self._sizes.setdefault(id(node), self._nodes - before)
        return node


_Loader.yaml_implicit_resolvers = {  # a date stays as it is written: YAML's would lose its T
    key: [one for one in value if one[0] != "tag:yaml.org,2002:timestamp"]
    for key, value in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?\d+(\.\d*)?[eE][-+]?\d+$"), list("-+0123456789")
)


def parse_yaml(text: str) -> Any:
    """What a text in YAML says. Raises YAMLError or ValueError where it is none, or out of bounds."""
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader


def read_yaml(path: Path) -> tuple[dict[str, Any], dict[tuple[str, ...], int]]:
    """The file's mapping, and the line of each key (1-based) by its path."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"config file not found: {path}", "give its path with --config") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"config file {path} cannot be read: {error}") from None
    try:
        node = yaml.compose(text, Loader=_Loader)
        data = parse_yaml(text)
    except (yaml.YAMLError, ValueError) as error:
        raise UserError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
    if data is None:
        return {}, {}
    if not isinstance(data, dict):
        raise UserError(f"{path}: expected sections ('git_scraper:' and so on), found {type(data).__name__}")
    lines: dict[tuple[str, ...], int] = {}
    _collect_lines(path, node, (), lines)
    return data, lines


def _collect_lines(
    path: Path, node: yaml.Node | None, prefix: tuple[str, ...], lines: dict[tuple[str, ...], int]
) -> None:
    if not isinstance(node, yaml.MappingNode):
        return
    for key_node, value_node in node.value:
        where = (*prefix, str(key_node.value))
        if where in lines:  # PyYAML would silently keep the last of the two
            raise UserError(f"{path}:{key_node.start_mark.line + 1}: '{'.'.join(where)}' is set twice", "remove one")
        lines[where] = key_node.start_mark.line + 1
        _collect_lines(path, value_node, where, lines)
