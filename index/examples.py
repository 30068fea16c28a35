"""Questions to a repository's code put to its index at the right commit, with what every candidate has for them."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import msgspec
import numpy as np

from core.git.blobs import BlobReader
from core.ranking.features import Features
from core.ranking.history import Commits, Floats, Ints, Mask, Past
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

    name: str
    """Of what it was made from; questions of one commit have one name."""
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


def answered(
    index: CodeIndex, most_tasks: int, most_sentences: int, together: int = 1, kinds: Collection[str] = tuple(KINDS)
) -> Iterator[Answered]:
    """Questions of some kinds to the repository of an index, at the commit that it describes: docstrings, then commits,
    the newest first. They are put to a copy, so the index stays as it is.
    """
    if not (tip := index.commit):
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        index.copied(Path(folder)) as copy,
        RepositoryIndex(index.git_dir, index.cache_dir) as known,
    ):
        commits = known.commits(tip)
        yield from of_docstrings(copy, commits, most_sentences)
        yield from of_commits(copy, commits, questions.tasks(index.git_dir, tip, most_tasks), together, kinds)


def of_commits(
    index: CodeIndex, commits: Commits, tasks: Sequence[Task], together: int, kinds: Collection[str]
) -> Iterator[Answered]:
    """Tasks, the newest first, put to an index of what each knows; `index` is brought from one commit to the next.

    So many that follow each other are asked `together`, of the parent of the oldest: that costs less, and an index is
    seldom of the very last commit.
    """
    for start in range(0, len(tasks), together):
        some = tasks[start : start + together]
        index.update(some[-1].parent)
        past = Past.of(commits, some[-1].parent)
        assert not any(commits.numbers[task.hash] in past.order for task in some), "a question must not know its answer"
        searcher = Searcher(index.corpus(), past, vectors.installed())
        with BlobReader(index.git_dir) as reader:
            for number, task in enumerate(some, start):
                other = tasks[(number + len(tasks) // 2) % len(tasks)]
                asked = {"full": task.message, "masked": task.masked, "shuffled": other.message}
                wanted = {kind: question for kind, question in asked.items() if kind in kinds}
                yield from _of_task(index.git_dir, reader, searcher, task, wanted)


def of_docstrings(index: CodeIndex, commits: Commits, most: int) -> Iterator[Answered]:
    """First sentences of docstrings put to the commit that an index describes, as if nothing had a docstring: the files
    of the answers are read without any, and of all others only the code is left of a symbol's head.
    """
    asked = questions.sentences(index.corpus(), most)
    corpus = _without_docs(index, {one.path for one in asked})
    searcher = Searcher(corpus, Past.of(commits, index.commit or ""), vectors.installed())
    for sentence in asked:
        yield from _of_sentence(searcher, sentence)


def _of_task(
    git_dir: Path, reader: BlobReader, searcher: Searcher, task: Task, asked: Mapping[str, str]
) -> Iterator[Answered]:
    corpus = searcher.corpus
    numbers = {file.path: number for number, file in enumerate(corpus.files)}
    files = [numbers[path] for path in sorted(task.files) if path in numbers]
    documents = [
        int(corpus.starts[file]) + own
        for file in files
        for own in changed_symbols(git_dir, reader, task, corpus.files[file])
    ]
    for kind, question in asked.items():
        if files and (one := _answered(searcher, kind, question, files, documents, task.hash)):
            yield one


def changed_symbols(git_dir: Path, reader: BlobReader, task: Task, file: File) -> set[int]:
    """The symbols of a file that a task changed, by name where the file is not as the task's parent has it."""
    rows = questions.old_rows(git_dir, task, file.path)
    source = reader.read(f"{task.parent}:{file.path}") or b""
    symbols = texts.parsed(source, file.path).symbols
    names = {symbols[place].name for place in questions.right_documents(rows, symbols)}
    return {place for place, symbol in enumerate(file.text.symbols) if symbol.name in names}


def _of_sentence(searcher: Searcher, sentence: Sentence) -> Iterator[Answered]:
    corpus = searcher.corpus
    for number, file in enumerate(corpus.files):
        if file.path == sentence.path:
            for own, symbol in enumerate(file.text.symbols, int(corpus.starts[number])):
                right = (symbol.name, symbol.first) == (sentence.symbol, sentence.first)
                name = f"{sentence.path}:{sentence.first}"
                if right and (one := _answered(searcher, "docstring", sentence.text, [number], [own], name)):
                    yield one


def _answered(
    searcher: Searcher, kind: str, question: str, files: Collection[int], documents: Collection[int], name: str
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
        name=name,
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


def _without_docs(index: CodeIndex, paths: Collection[str]) -> Corpus:
    table, files = vectors.installed(), []
    with BlobReader(index.git_dir) as reader:
        for file in index.corpus().files:
            source = reader.read(file.blob) if file.path in paths else None
            if source is None:
                bare = [msgspec.structs.replace(one, doc="") for one in file.text.symbols]
                files.append(replace(file, text=msgspec.structs.replace(file.text, symbols=tuple(bare))))
                continue
            parsed = texts.parsed(questions.without_docs(source, file.path), file.path)
            own = table.of_documents(parsed.words) if table else None
            files.append(File(file.path, file.blob, texts.text_of(parsed), own))
    return Corpus(files)


def with_weights(one: Answered, weights: Weights) -> Answered:
    """A question whose documents have the shares that these weights give to files."""
    shares = softmax(weighted(one.files, weights.files[one.of_class]))
    return replace(one, documents=one.documents | of_shares(shares, one.document_files))


def narrowed(one: Answered, weights: Weights, most: int) -> Answered:
    """A question to keep, in half the memory: with the best `most` files, those of its documents and the right ones."""
    scores = weighted(one.files, weights.files[one.of_class])
    kept = one.right_files.copy()
    kept[np.argsort(-scores, kind="stable")[:most]] = True
    kept[one.document_files] = True
    numbers = np.flatnonzero(kept)
    return replace(
        one,
        files={name: values[kept].astype(np.float32) for name, values in one.files.items()},
        documents={name: values.astype(np.float32) for name, values in one.documents.items()},
        right_files=one.right_files[kept],
        code_files=one.code_files[kept],
        document_files=np.searchsorted(numbers, one.document_files).astype(np.int32),
        baseline=one.baseline[kept],
    )
