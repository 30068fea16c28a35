"""The model card of a fused adapter: from what, how, and what it is worth."""

from __future__ import annotations

from collections.abc import Sequence

from core.records.fusion import BASE, FUSED, FusionReport, Proof, Saved
from core.visible import visible

_TEXT = """---
base_model: {base_model}
library_name: peft
tags: [gitlore, git-history]
---

# An adapter fused from {count} others

{parents}

Method `{method}`, rank {rank}: {energy:.1%} of the squared norm is kept, {error:.3f} away from the exact weighted sum
of the updates. `fusion.json` has the figures of each layer.

## What it is worth

{proof}

## Licence

The weights are derived from the parents' histories and from the base model: share them only under the licences of all.
"""
_NOT_MEASURED = "It was not measured: `scripts/merge_lora_adapters.py --eval` does it."


def card(report: FusionReport) -> str:
    """The card as Markdown."""
    parents = "\n".join(f"- {one.weight:.3f} of {one.name}" for one in report.origin.parents)
    text = _TEXT.format(
        base_model=report.base_model,
        count=len(report.origin.parents),
        parents=parents,
        method=report.origin.method,
        rank=report.rank,
        energy=report.energy,
        error=report.error,
        proof="\n".join(table(report.proof)) if report.proof else _NOT_MEASURED,
    )
    return visible(text)


def table(proof: Proof) -> list[str]:
    """Bits per byte of everybody on every history, as Markdown."""
    lines = [f"| bits per byte | {' | '.join(one.owner for one in proof.histories)} | mean |"]
    lines.append(f"|---|{'---:|' * (len(proof.histories) + 1)}")
    lines += [_row(name, [one.bits_per_byte[name] for one in proof.histories]) for name in proof.mean]
    for name in proof.histories[0].beside:
        lines.append(_row(name, [one.beside[name].bits_per_byte for one in proof.histories]))
    lines += [_row("each history by its own", [one.bits_per_byte[one.owner] for one in proof.histories]), ""]
    for one in proof.histories:
        unit = "byte that an edit adds" if one.of_edits else "byte of text"
        over_base, over_owner = _share(one.saved_over_base), _share(one.saved_over_owner)
        lines.append(
            f"On {one.owner} ({one.commits} commits, {one.tokens:,} tokens, per {unit}) {FUSED} saves {over_base} of "
            f"the bits of the {BASE}, {over_owner} of its owner's"
            + "".join(f", {_share(other.saved)} of those of {name}" for name, other in one.beside.items())
            + "."
        )
    best = min((mean, name) for name, mean in proof.mean.items() if name not in (BASE, FUSED))
    lines.append(f"On the mean the best parent, {best[1]}, needs {best[0]:.3f}, {FUSED} {proof.mean[FUSED]:.3f}.")
    if proof.swapping < proof.mean[FUSED]:
        lines.append("Where it is known which history a question is about, its own adapter is the better one.")
    return lines


def _row(name: str, bits: Sequence[float]) -> str:
    return f"| {name} | {' | '.join(f'{one:.3f}' for one in (*bits, sum(bits) / len(bits)))} |"


def _share(saved: Saved) -> str:
    between = f" [{saved.low:.1%}, {saved.high:.1%}]" if saved.low is not None and saved.high is not None else ""
    return f"{saved.share:.1%}{between}"
