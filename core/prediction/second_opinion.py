"""A second opinion where a ranking is unsure: a language model is asked once, over the best files with their reasons.

Nothing is sent unless a model is named. It runs behind OpenAI's API: Ollama, llama.cpp, vLLM, LM Studio, OpenAI.
What is sent is the task, with credentials masked, and paths with reasons; of what comes back, only numbers are read.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from pydantic import Field

from core.config import Section
from core.ranking.ranker import FileRanking, RankedFile
from core.ranking.reasons import Reason

if TYPE_CHECKING:
    from openai import OpenAI

FILES = 20
"""The best ones, among which the model chooses."""
MOST_TASK = 12_000
"""Characters of a task that are sent."""
_INSTRUCTIONS = (
    "A task is to be done in a repository. Of the numbered files, which must be changed for it? The list begins with "
    "those that statistics find likeliest, each with its reasons; they are unsure here. Answer with a JSON list of at "
    "most five numbers and nothing else, the likeliest file first, such as [3, 1]."
)
_LIST = re.compile(r"\[[\d\s,]{1,200}\]")


class SecondOpinionConfig(Section):
    """Which model is asked where a ranking is unsure."""

    second_opinion: str = Field(default="", max_length=200)
    """Where unsure, ask this model once which of the 20 best files change; it gets the task, paths and reasons."""
    second_opinion_url: str = Field(default="", max_length=2000)
    """OpenAI-compatible API to ask, such as http://localhost:11434/v1; by default OPENAI_BASE_URL, or OpenAI's."""
    second_opinion_timeout_s: float = Field(default=30.0, gt=0, le=600)
    """Seconds to wait for its answer."""


@dataclass(frozen=True)
class Opinion:
    """What a model said: the files that it chose, or why there is no answer."""

    model: str
    files: list[str]
    problem: str = ""

    def in_words(self) -> str:
        """One sentence."""
        if self.problem:
            return f"{self.model} was asked, without an answer: {self.problem}"
        return f"{self.model} was asked: its {len(self.files)} come first" if self.files else f"{self.model} chose none"


@dataclass(frozen=True)
class SecondOpinion:
    """A model to ask."""

    config: SecondOpinionConfig

    @classmethod
    def of(cls, config: SecondOpinionConfig) -> SecondOpinion | None:
        """None where no model is named."""
        return cls(config) if config.second_opinion else None

    @property
    def model(self) -> str:
        """Its name."""
        return self.config.second_opinion

    def on(self, task: str, ranking: FileRanking) -> tuple[FileRanking, Opinion]:
        """The ranking with the files that the model chooses first, and what it said.

        A failed request leaves the order as it is; the opinion says why.
        """
        offered = [file for file in ranking.files if not file.new][:FILES]
        try:
            chosen = chosen_of(self._asked(prompt(task, offered)), offered)
        except ValueError as error:  # also of JSON
            return ranking, Opinion(self.model, [], str(error))
        first = [
            replace(file, reasons=[Reason(f"{self.model} chose it"), *file.reasons])
            for file in (offered[number] for number in chosen)
        ]
        names = [file.name for file in first]
        rest = [file for file in ranking.files if file.name not in names]
        return replace(ranking, files=[*first, *rest]), Opinion(self.model, names)

    def _asked(self, text: str) -> str:
        import openai

        try:
            answer = self._client.chat.completions.create(
                model=self.model,
                messages=[{"role": "system", "content": _INSTRUCTIONS}, {"role": "user", "content": text}],
                temperature=0,
            )
        except openai.APITimeoutError:
            raise ValueError(f"nothing came within {self.config.second_opinion_timeout_s:g} s") from None
        except openai.APIStatusError as error:
            raise ValueError(f"{self._client.base_url} answered {error.status_code}") from None
        except openai.OpenAIError as error:
            raise ValueError(f"{self._client.base_url}: {error}") from None
        return (answer.choices[0].message.content or "") if answer.choices else ""

    @cached_property
    def _client(self) -> OpenAI:
        from openai import OpenAI

        return OpenAI(
            api_key=os.environ.get("OPENAI_API_KEY") or "none",  # a server of one's own needs none
            base_url=self.config.second_opinion_url or None,
            timeout=self.config.second_opinion_timeout_s,
            max_retries=0,
        )


def prompt(task: str, files: Sequence[RankedFile]) -> str:
    """The task and numbered files; credentials are masked."""
    from core.text.redaction import Redactor

    lines = [f"Task:\n{task[:MOST_TASK]}", "Files:"]
    for number, file in enumerate(files, start=1):
        lines.append(f"{number}. {json.dumps(file.name, ensure_ascii=False)[1:-1]}")  # a name may hold line breaks
        lines += [f"   {' '.join(reason.text.split())}" for reason in file.reasons]
    return "".join(Redactor().clean("\n".join(lines)))


def chosen_of(answer: str, files: Sequence[RankedFile]) -> list[int]:
    """Places of the files in the last list of numbers of an answer. Raises ValueError where it holds none."""
    lists = _LIST.findall(answer.rpartition("</think>")[2])
    if not lists:
        raise ValueError("the answer holds no list of numbers")
    numbers = [int(number) for number in re.findall(r"\d{1,3}", lists[-1])]
    return [number - 1 for number in dict.fromkeys(numbers) if 1 <= number <= len(files)]
