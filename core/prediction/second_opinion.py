"""A second opinion where a ranking is unsure: a language model is asked once, over the best files with their reasons.

Nothing is sent unless a model is named. It runs behind OpenAI's API: Ollama, llama.cpp, vLLM, LM Studio, OpenAI.
What is sent is the task, with credentials masked, and paths with reasons; of what comes back, only numbers are read.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec
from pydantic import Field

from core.config import Section
from core.ranking.ranker import FileRanking, RankedFile
from core.ranking.reasons import Reason
from core.records.lines import DAMAGED

OPENAI = "https://api.openai.com/v1"
FILES = 20
"""The best ones, among which the model chooses."""
MOST_TASK = 12_000
"""Characters of a task that are sent."""
MOST_CHANGED = 50
"""Files that are changed already and are named."""
MOST_LINE = 500
"""Characters of a name or reason."""
MOST_ANSWER = 1_000_000
"""Bytes."""
_INSTRUCTIONS = (
    "A task is to be done in a repository. Of the numbered files, which must be changed for it? The list begins with "
    "those that statistics find likeliest, each with its reasons; they are unsure here. Answer with a JSON list of at "
    "most five numbers and nothing else, the likeliest file first, such as [3, 1]."
)
_LIST = re.compile(r"\[[\d\s,]{0,200}\]")


class SecondOpinionConfig(Section):
    """Which model is asked where a ranking is unsure."""

    second_opinion: str = Field(default="", max_length=200)
    """Where unsure, ask this model once which of the 20 best files change; it gets the task, paths and reasons."""
    second_opinion_url: str = Field(default="", max_length=2000)
    """OpenAI-compatible API to ask, such as http://localhost:11434/v1; by default OPENAI_BASE_URL, or OpenAI's."""
    second_opinion_timeout_s: float = Field(default=30.0, gt=0, le=600)
    """Seconds to wait for its answer."""


class _Message(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Message


class _Answer(msgspec.Struct):
    """What is read of an answer to a chat completion."""

    choices: list[_Choice]


@dataclass(frozen=True)
class Opinion:
    """What a model said: the files that it chose, or why there is no answer."""

    model: str
    files: list[str]
    problem: str = ""

    def in_words(self) -> str:
        """One sentence."""
        if self.problem:
            return f"{self.model} was asked and gave no answer: {self.problem}"
        count = len(self.files)
        return (
            f"{self.model} was asked and chose the first {count} of these files"
            if count
            else f"{self.model} chose none"
        )


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

    def on(self, task: str, ranking: FileRanking, changed: Sequence[str] = ()) -> tuple[FileRanking, Opinion]:
        """The ranking with the files that the model chooses first, and what it said. `changed` are changed already.

        A failed request leaves the order as it is; the opinion says why.
        """
        offered = [file for file in ranking.files if not file.new][:FILES]
        try:
            chosen = chosen_of(self._asked(prompt(task, offered, changed)), offered)
        except ValueError as error:
            return ranking, Opinion(self.model, [], str(error))
        first = [
            replace(file, reasons=[Reason(f"{self.model} chose it"), *file.reasons])
            for file in (offered[number] for number in chosen)
        ]
        names = [file.name for file in first]
        rest = [file for file in ranking.files if file.name not in names]
        return replace(ranking, files=[*first, *rest]), Opinion(self.model, names)

    def _asked(self, text: str) -> str:
        """What the model writes. Raises ValueError where it does not answer in time, or not as the API says."""
        import httpx

        url, key = f"{self._base.rstrip('/')}/chat/completions", os.environ.get("OPENAI_API_KEY")
        messages = [{"role": "system", "content": _INSTRUCTIONS}, {"role": "user", "content": text}]
        question = {"model": self.model, "messages": messages, "temperature": 0}
        headers = {"authorization": f"Bearer {key}"} if key else {}
        seconds = self.config.second_opinion_timeout_s
        body, deadline = b"", time.monotonic() + seconds
        try:
            with httpx.stream("POST", url, json=question, headers=headers, timeout=seconds) as response:
                if response.status_code != httpx.codes.OK:
                    raise ValueError(f"{url} answered {response.status_code}")
                for part in response.iter_bytes():
                    body += part
                    if time.monotonic() > deadline:  # httpx's own limit begins again with each part
                        raise httpx.ReadTimeout("")
                    if len(body) > MOST_ANSWER:
                        raise ValueError(f"the answer is longer than {MOST_ANSWER:,} bytes")
        except httpx.TimeoutException:
            raise ValueError(f"no answer within {seconds:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ValueError(f"{url}: {error}") from None
        try:
            choices = msgspec.json.decode(body, type=_Answer).choices
        except DAMAGED:
            raise ValueError(f"{url} did not answer as OpenAI's API does") from None
        return "".join(choice.message.content or "" for choice in choices[:1])

    @property
    def _base(self) -> str:
        return self.config.second_opinion_url or os.environ.get("OPENAI_BASE_URL") or OPENAI


def prompt(task: str, files: Sequence[RankedFile], changed: Sequence[str] = ()) -> str:
    """The task, what is changed already, and numbered files; credentials are masked."""
    from core.text.redaction import Redactor

    if len(task) > MOST_TASK:
        task = "".join(task[:MOST_TASK].rsplit(maxsplit=1)[:1])  # half a credential would not be recognized
    lines = [f"Task:\n{task}"]
    if changed:
        lines += ["Changed already, so not to be named:", *(f"- {_in_line(path)}" for path in changed[:MOST_CHANGED])]
    lines.append("Files:")
    for number, file in enumerate(files, start=1):
        lines.append(f"{number}. {_in_line(file.name)}")
        lines += [f"   {_in_line(reason.text)}" for reason in file.reasons]
    return "".join(Redactor().clean("\n".join(lines)))


def _in_line(text: str) -> str:
    """Without line breaks and control characters, which names and titles of commits may hold."""
    return json.dumps(text, ensure_ascii=False)[1:-1][:MOST_LINE]


def chosen_of(answer: str, files: Sequence[RankedFile]) -> list[int]:
    """Places of the files in the last list of numbers of an answer. Raises ValueError where it holds none."""
    lists = _LIST.findall(answer.rpartition("</think>")[2])
    if not lists:
        raise ValueError("the answer holds no list of numbers")
    numbers = [int(number) for number in re.findall(r"\d{1,3}", lists[-1])]
    return [number - 1 for number in dict.fromkeys(numbers) if 1 <= number <= len(files)]
