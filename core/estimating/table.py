"""An estimate as a table and a few sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.estimating.curve import Curve, Range
from core.estimating.rehearsal import Speed
from core.estimating.sample import Bits

SPANS = (("an hour", 3600.0), ("a night (8 hours)", 8 * 3600.0))
_HEAD = ("", "tokens", "bits a byte", "95 % interval", "loss", "with copying")


@dataclass(frozen=True)
class Outlook:
    """What a training of some length would bring."""

    name: str
    tokens: float
    all_read: bool
    """Whether the training split is read before the time ends."""
    bits: Range


def outlooks(curve: Curve, speed: Speed, available: float) -> list[Outlook]:
    """What the time in SPANS brings at some speed; no more than the `available` tokens are read.

    An interval is as wide as the slowest and the fastest steps make it.
    """
    found = []
    for name, seconds in SPANS:
        mean, slow, fast = (min(rate * seconds, available) for rate in (speed.mean, speed.low, speed.high))
        bits = Range(curve.at(mean).middle, curve.at(fast).low, curve.at(slow).high)
        found.append(Outlook(name, mean, speed.mean * seconds > available, bits))
    return found


@dataclass(frozen=True)
class Estimate:
    """All that an estimate says; bits are those for a byte of the validation sample's text."""

    untuned: Bits
    in_context: float | None
    """Those of the untuned base with more context."""
    short: Bits
    """Those after the longest of the short trainings."""
    short_tokens: int
    outlooks: Sequence[Outlook]
    """Empty where the short trainings brought nothing."""
    nats_per_bit: float
    """What turns bits a byte into the loss."""

    def table(self) -> list[str]:
        """The rows, aligned."""
        rows = [_HEAD, self._measured("untuned", "0", self.untuned)]
        if self.in_context is not None:
            rows.append(self._measured("untuned, twice the context", "0", Bits(self.in_context, None)))
        rows.append(self._measured("after a short training", f"{self.short_tokens:,}", self.short))
        for one in self.outlooks:
            interval = f"{one.bits.low:.3f} to {one.bits.high:.3f}"
            loss = f"{one.bits.middle * self.nats_per_bit:.3f}"
            rows.append((one.name, f"{one.tokens:,.0f}", f"{one.bits.middle:.3f}", interval, loss, ""))
        first, *others = (max(map(len, column)) for column in zip(*rows, strict=True))
        return [
            "  ".join((row[0].ljust(first), *(cell.rjust(w) for cell, w in zip(row[1:], others, strict=True)))).rstrip()
            for row in rows
        ]

    def sentences(self) -> str:
        """What the rows mean for somebody who has to decide."""
        if not self.outlooks:
            return (
                f"The short training did not lower the loss ({self.untuned.alone:.3f} bits a byte before it, "
                f"{self.short.alone:.3f} after it), so nothing can be said of a longer one: lower "
                "model_training.learning_rate."
            )
        said = [
            f"{one.name} would bring {one.bits.middle:.3f} bits a byte ({one.bits.low:.3f} to {one.bits.high:.3f})"
            for one in self.outlooks
        ]
        text = f"{' and '.join(said)}; the untuned model needs {self.untuned.alone:.3f}."
        if within := [one.name for one in self.outlooks if one.all_read]:
            text += f" The training split is read to its end within {within[0]}, and no more was counted on (epochs)."
        return f"{text[0].upper()}{text[1:]} {self._beside()}".rstrip()

    def _beside(self) -> str:
        """The longest training beside what needs none."""
        ways = {"copying from the history": self.untuned.copying, "twice the context": self.in_context}
        known = {name: bits for name, bits in ways.items() if bits is not None}
        if not known:
            return ""
        name, bits = min(known.items(), key=lambda way: way[1])
        night = self.outlooks[-1].bits
        if night.low > bits:
            verdict = f"Without training, {name} brings {bits:.3f}, which is better than both"
        elif night.high < bits:
            verdict = f"Without training, {name} brings {bits:.3f}; a night is better than that"
        else:
            verdict = f"Without training, {name} brings {bits:.3f}; whether a night is better cannot be told yet"
        if self.short.copying is None or self.untuned.copying is None:
            return f"{verdict}."
        before, after = self.untuned.copying, self.short.copying
        return f"{verdict}. With copying beside it, the short training led from {before:.3f} to {after:.3f}."

    def _measured(self, name: str, tokens: str, bits: Bits) -> tuple[str, ...]:
        copying = "" if bits.copying is None else f"{bits.copying:.3f}"
        return name, tokens, f"{bits.alone:.3f}", "", f"{bits.alone * self.nats_per_bit:.3f}", copying
