"""Questions to a repository's code put to its index at the right commit, with what every candidate has for them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from core.git import refs, trees
from core.git.blobs import BlobReader
from core.ranking.features import Features
from core.ranking.history import Floats, Ints, Mask, Past
from core.ranking.model import Example, softmax
from index import questions, texts, vectors
from index.code_index import CodeIndex
from index.corpus import Corpus, File
from index.features import of_shares
from index.questions import Sentence, Task
from index.repository import RepositoryIndex
from index.search import Class, Searcher, Weights, weighted

KINDS = {
    "full": "Commit messages",
    "masked": "Commit messages without names",
    "shuffled": "Messages of other commits",
    "docstring": "Docstrings",
}


@dataclass(frozen=True)
class Answered:
    """A question whose answer is known: what its candidates have, and where plain BM25 over symbols puts the answer."""

    kind: str
    of_class: Class
    files: Features
    documents: Features
    right_files: Mask
    """Of all files; right documents are of the candidates alone, since others cannot be found."""
    right_documents: Mask
    code_files: Mask
    """Files that may be right; of documents, the same."""
    code_documents: Mask
    document_files: Ints
    baseline: Floats
    """Of each file, the best BM25 of its symbols."""
    baseline_place: float | None
    """Of the first right document among all that may be right, from 1; None where no document is."""

    def file_place(self, scores: Floats) -> float:
        """The place of the first right file; those with an equal score are before it half the time."""
        return place(scores, self.right_files & self.code_files, self.code_files)

    def document_place(self, scores: Floats) -> float:
        """The same of documents; infinite where none is among the candidates."""
        return place(scores, self.right_documents & self.code_documents, self.code_documents)

    @cached_property
    def example_of_files(self) -> Example:
        """What weights of files are learned from."""
        return Example(stacked(self.files), self.right_files)

    @cached_property
    def example_of_documents(self) -> Example:
        """The same of documents."""
        return Example(stacked(self.documents), self.right_documents)


def stacked(found: Features) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Features as a matrix, by candidate."""
    return np.stack(list(found.values()), axis=1).astype(np.float32)


def place(scores: Floats, right: Mask, allowed: Mask) -> float:
    """The place, from 1, of the first right candidate among those that are allowed; infinite for none."""
    if not right.any():
        return float("inf")
    best = scores[right].max()
    others = scores[allowed & ~right]
    return float(1 + (others > best).sum() + (others == best).sum() / 2)


def answered(git_dir: Path, cache_dir: Path, most_tasks: int, most_sentences: int) -> Iterator[Answered]:
    """All questions to a repository."""
    tasks = questions.tasks(git_dir, most_tasks)
    with CodeIndex(git_dir, cache_dir) as index, RepositoryIndex(git_dir, cache_dir) as known:
        commits = known.commits(head := refs.head(git_dir))
        for number, task in enumerate(tasks):
            index.update(task.parent)
            past = Past.of(commits, task.parent)
            assert commits.numbers[task.hash] not in past.order, "a question must not know its own answer"
            searcher = Searcher(index.corpus(), past, vectors.installed())
            other = tasks[(number + len(tasks) // 2) % len(tasks)]
            yield from _of_task(git_dir, searcher, task, other)
        searcher = Searcher(_corpus_without_docs(git_dir, head), Past.of(commits, head), vectors.installed())
        for sentence in questions.sentences(git_dir, head, most_sentences):
            yield from _of_sentence(searcher, sentence)


def _of_task(git_dir: Path, searcher: Searcher, task: Task, other: Task) -> Iterator[Answered]:
    corpus = searcher.corpus
    numbers = {file.path: number for number, file in enumerate(corpus.files)}
    files = [numbers[path] for path in task.files if path in numbers]
    documents = [
        int(corpus.starts[file]) + own
        for file in files
        for own in questions.right_documents(
            questions.old_rows(git_dir, task, corpus.files[file].path), corpus.files[file].text.symbols
        )
    ]
    for kind, question in (("full", task.message), ("masked", task.masked), ("shuffled", other.message)):
        if files and (one := _answered(searcher, kind, question, files, documents)):
            yield one


def _of_sentence(searcher: Searcher, sentence: Sentence) -> Iterator[Answered]:
    corpus = searcher.corpus
    for number, file in enumerate(corpus.files):
        if file.path == sentence.path:
            for own, symbol in enumerate(file.text.symbols, int(corpus.starts[number])):
                right = (symbol.name, symbol.first) == (sentence.symbol, sentence.first)
                if right and (one := _answered(searcher, "docstring", sentence.text, [number], [own])):
                    yield one


def _answered(
    searcher: Searcher, kind: str, question: str, files: Collection[int], documents: Collection[int]
) -> Answered | None:
    asked = searcher.asked(question)
    if not asked.everything:
        return None
    corpus = searcher.corpus
    code = np.array([questions.is_code(file.path) for file in corpus.files])
    of_files = searcher.of_files(asked)
    shares = searcher.shares(asked, of_files, Weights.shipped())
    at, of_documents = searcher.documents(asked, shares)
    everywhere = np.isin(np.arange(len(corpus)), list(documents))
    code_documents = code[corpus.file_of]
    baseline = place(asked.by_words, everywhere & code_documents, code_documents) if documents else None
    return Answered(
        kind=kind,
        of_class=searcher.class_of(asked.query),
        files=of_files,
        documents=of_documents,
        right_files=np.isin(np.arange(len(code)), list(files)),
        right_documents=everywhere[at],
        code_files=code,
        code_documents=code_documents[at],
        document_files=corpus.file_of[at],
        baseline=asked.best_of_file(asked.by_words),
        baseline_place=baseline,
    )


def _corpus_without_docs(git_dir: Path, commit: str) -> Corpus:
    files = {path: blob for path, blob in trees.files_of(git_dir, commit).items() if texts.left_out(path) is None}
    table, found = vectors.installed(), []
    with BlobReader(git_dir) as reader:
        sources = reader.read_many(list(files.values()), texts.MAX_BYTES)
        for (path, blob), source in zip(files.items(), sources, strict=True):
            parsed = texts.parsed(questions.without_docs(source or b"", path), path)
            if source is not None and not parsed.reason:
                own = table.of_documents(parsed.words) if table else None
                found.append(File(path, blob, texts.text_of(parsed), own))
    return Corpus(found)


def with_weights(one: Answered, weights: Weights) -> Answered:
    """A question whose documents have the shares that these weights give to files."""
    shares = softmax(weighted(one.files, weights.files[one.of_class]))
    return replace(one, documents=one.documents | of_shares(shares, one.document_files))
