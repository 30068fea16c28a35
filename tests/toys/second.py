"""A second stage: copies what the first wrote into a folder."""

from __future__ import annotations

from core.config import Section
from core.engine.stage import Context, Stage


class SecondConfig(Section):
    """Settings of the second toy."""

    upper: bool = False
    """Write in capitals."""


def run(ctx: Context[SecondConfig]) -> None:
    """Write second/copy.txt."""
    text = ctx.input("first.txt").read_text()
    ctx.output("second").mkdir()
    (ctx.output("second") / "copy.txt").write_text(text.upper() if ctx.config.upper else text)


STAGE = Stage(
    name="second", help="copy a file", config=SecondConfig, run=run, inputs=("first.txt",), outputs=("second",)
)
