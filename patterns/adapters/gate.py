"""Whether an adapter is better than what it would replace, as far as it was measured."""

from __future__ import annotations

from core.records.fusion import BASE, FUSED, FusionReport, Proof

NOT_MEASURED = "it was not measured: it has no fusion.json with the figures of --eval"


def problem(proof: Proof | None) -> str:
    """Why it should not be activated, in a sentence; empty where nothing speaks against it.

    It has to need fewer bits than the untuned base on every history, and than the best of its parents on the mean.
    Everything is computed from the figures of the histories, not taken from what the report says of itself.
    """
    if proof is None or not proof.histories:
        return NOT_MEASURED
    for one in proof.histories:
        base, fused = one.bits_per_byte.get(BASE), one.bits_per_byte.get(FUSED)
        if base is None or fused is None:
            return f"the figures of {one.owner} are not complete"
        if fused >= base:
            return f"on {one.owner} it needs {fused:.3f} bits per byte, the untuned base {base:.3f}"
    names = {name for one in proof.histories for name in one.bits_per_byte} - {BASE, FUSED}
    if not names or any(name not in one.bits_per_byte for name in names for one in proof.histories):
        return "not every parent was measured on every history"
    mean = {
        name: sum(one.bits_per_byte[name] for one in proof.histories) / len(proof.histories)
        for name in (*sorted(names), FUSED)
    }
    fused = mean.pop(FUSED)
    least, best = min((value, name) for name, value in mean.items())
    return "" if fused < least else f"on the mean it needs {fused:.3f} bits per byte, its parent {best} {least:.3f}"


def is_of(report: FusionReport) -> bool:
    """Whether the figures of a report are those of its own parents."""
    if report.proof is None:
        return True
    named = {one.name for one in report.origin.parents}
    return all(set(one.bits_per_byte) == {BASE, FUSED, *named} and one.owner in named for one in report.proof.histories)
