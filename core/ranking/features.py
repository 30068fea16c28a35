"""What speaks for a file: some numbers a family, each between 0 and about 7, so that weights can be compared.

Families: `c` contents, `i` identifiers, `d` definitions, `t` tracebacks, `q` quoted paths, `p` words of the path,
`m` similar past messages, `g` the folder's best, `a` activity, `l` what follows the last commit, `x` companions of
given files, `k` kinds, `n` new files. They know the question and the snapshot, which holds ancestors alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.ranking import paths as of_path
from core.ranking.history import Floats, Ints
from core.ranking.matching import K1, B, Found, normal, rank_scores, relative
from core.ranking.query import Query
from core.ranking.snapshot import EPSILON, HALF_LIVES, MESSAGE_HALF_LIFE, Snapshot
from core.ranking.terms import IDENTIFIER, number, stem, words

COMPANION_HALF_LIFE = 350
MAX_GIVEN = 100
"""Given files whose companions are looked for."""
MAX_SIMILAR = 300
"""Past commits, the most similar ones, that count."""
ADDITION_HALF_LIFE = 200
_ADDING = frozenset(
    stem(word) for word in ["add", "implement", "introduce", "create", "new", "initial", "import", "support"]
)
Features = dict[str, Floats]


@dataclass(frozen=True)
class Similar:
    """How like the task the message of each past commit is, 0 to 1, and how much that counts today."""

    alike: Floats
    weights: Floats

    @classmethod
    def none(cls, snapshot: Snapshot) -> Similar:
        """Without a task."""
        nothing = np.zeros(len(snapshot.past))
        return cls(nothing, nothing)

    @classmethod
    def to(cls, snapshot: Snapshot, title: Sequence[str], found: Found | None = None) -> Similar:
        """To the words of a title; `found` is where they occur in past titles, if that is known."""
        found = found or snapshot.titles.find(title)
        scores = found.scores(title) if len(found.hits) else np.zeros(len(snapshot.past))
        ideal = max(found.best_possible(title), 1e-9)
        if len(scores) > MAX_SIMILAR:
            least = np.partition(scores, -MAX_SIMILAR)[-MAX_SIMILAR]
            scores = np.where(scores >= max(least, 1e-9), scores, 0)
        alike = (scores / ideal).clip(0, 1)
        return cls(alike, alike**2 * 0.5 ** (snapshot.past.ages / MESSAGE_HALF_LIFE))

    def best(self, most: int) -> list[int]:
        """Places of the commits that count most, the first one first."""
        order = np.argsort(-self.weights, kind="stable")[:most]
        return [place for place in order.tolist() if self.weights[place] > 0]


def of_text(snapshot: Snapshot, query: Query) -> tuple[Features, Similar]:
    """Everything that the words of a task say."""
    title, body = words(query.title), words(query.body)
    everything = [*title, *body]
    found: Features = {}
    found |= _contents(snapshot, query, title, everything)
    found |= _identifiers(snapshot, query)
    found |= _definitions(snapshot, query)
    found |= _quoted(snapshot, query)
    found |= _path_words(snapshot, query, title, everything)
    messages, similar = _messages(snapshot, title)
    found |= messages
    body_messages, _ = _messages(snapshot, everything)
    found["m_body"], found["m_body_folder"] = body_messages["m_file"], body_messages["m_folder"]
    best = found["c_rel_all"] + found["p_title"] + found["i_rel"]
    highest = np.zeros(int(snapshot.folders.max(initial=0)) + 1)
    np.maximum.at(highest, snapshot.folders, best)
    found["g_folder"] = relative(highest)[snapshot.folders]
    return found, similar


def of_history(snapshot: Snapshot) -> Features:
    """What the past alone says."""
    activity = snapshot.activity
    found = {f"a_{life}": share(activity[:, column]) for column, life in enumerate(HALF_LIVES)}
    found["a_age"] = 7 - np.log1p(snapshot.last_ages.clip(0)).clip(0, 7)
    found["a_last"] = (snapshot.last_ages == 0).astype(float)
    found["a_young"] = 7 - np.log1p(snapshot.births.clip(0)).clip(0, 7)
    found["a_folder"] = share(snapshot.in_group(snapshot.folders, activity[:, 1]))
    found["a_ending"] = share(snapshot.in_group(snapshot.endings, activity[:, 1]))
    return found


def of_last(snapshot: Snapshot) -> Features:
    """What usually follows a commit such as the last one, and what its author changes."""
    past = snapshot.past
    if not len(past):
        nothing = np.zeros(len(snapshot))
        return dict.fromkeys(("l_files", "l_title", "l_author"), nothing)
    last = len(past) - 1
    changed = past.files[past.change_commits == last]
    mark = np.zeros(len(past.same) + 1)
    mark[changed] = 1
    overlap = np.bincount(past.change_commits, mark[past.files], len(past)) / past.sizes
    union = past.sizes + len(changed) - overlap * past.sizes
    alike = overlap * past.sizes / np.maximum(union, 1)
    found = snapshot.titles.find_terms(snapshot.titles.terms[snapshot.titles.rows == last])
    titles = found.all_scores()
    titles = (titles / max(titles[last], 1e-9)).clip(0, 1)
    decayed = 0.5 ** (past.ages / MESSAGE_HALF_LIFE)
    changes = {
        name: _followers(decayed * values**2, past.change_commits)
        for name, values in (("files", alike), ("title", titles))
    }
    per_size = snapshot.narrow / past.sizes[past.change_commits]
    features = {f"l_{name}": share(normal(snapshot.by_file(values * per_size))) for name, values in changes.items()}
    authors = past.commits.authors[past.order]
    own = np.cumsum((authors == authors[last])[::-1])[::-1] - 1  # commits of this author that came after
    own_weight = (authors == authors[last]) * 0.5 ** (own / 30)
    features["l_author"] = share(normal(snapshot.by_file(own_weight[past.change_commits])))
    return features


def _followers(weights: Floats, change_commits: Ints) -> Floats:
    """The weight of each change's predecessor: that of the commit before."""
    return np.concatenate([[0.0], weights[:-1]])[change_commits]


def of_new_files(snapshot: Snapshot, query: Query, similar: Similar) -> Features:
    """What speaks for a new file, by folder: how often one is added there, also by similar tasks."""
    past, count = snapshot.past, len(snapshot.folder_names)
    commits, folders = snapshot.additions
    recent = np.bincount(folders, 0.5 ** (past.ages[commits] / ADDITION_HALF_LIFE), count)
    adding = np.zeros(len(past))
    adding[commits] = 1
    by_task = np.bincount(folders, similar.weights[commits], count)
    all_similar = max(similar.weights.sum(), 1e-12)
    title = set(words(query.title))
    named = [set(of_path.path_words(f"{folder}/x")) for folder in snapshot.folder_names]
    return {
        "n_new": np.ones(count),
        "n_folder": share(normal(recent)),
        "n_rate": np.full(count, share(np.array([adding[-ADDITION_HALF_LIFE:].mean() if len(past) else 0.0]))[0]),
        "n_task": share(by_task / all_similar),
        "n_task_rate": np.full(count, float((similar.weights * adding).sum() / all_similar)),
        "n_path": np.array([len(title & one) / max(len(title), 1) for one in named]),
        "n_add": np.full(count, float(bool(title & _ADDING))),
    }


def with_new_files(files: Features, new: Features) -> Features:
    """Both as one list of candidates: the files, then the folders."""
    count, folders = (len(next(iter(part.values()))) for part in (files, new))
    nothing, none = np.zeros(folders), np.zeros(count)
    return {
        **{name: np.concatenate([values, nothing]) for name, values in files.items()},
        **{name: np.concatenate([none, values]) for name, values in new.items()},
    }


def of_kinds(snapshot: Snapshot) -> Features:
    """What kind of file it is."""
    found = {name: snapshot.kinds[:, column] for column, name in enumerate(of_path.KINDS)}
    found["k_size"] = np.log1p([text.lines for text in snapshot.texts])
    found["k_depth"] = np.array([float(path.count("/")) for path in snapshot.paths])
    return found


def of_companions(snapshot: Snapshot, given: Sequence[str]) -> Features:
    """Which files go with given ones: by what changed together, and by name and place."""
    places = {path: place for place, path in enumerate(snapshot.paths)}
    known = snapshot.past.commits.path_numbers
    given = list(given)[:MAX_GIVEN]
    numbers = [int(snapshot.past.same[known[path]]) for path in given if path in known]
    past, count = snapshot.past, len(snapshot.past.same) + 1
    decayed = 0.5 ** (past.ages / COMPANION_HALF_LIFE)
    change_weights = decayed[past.change_commits] * snapshot.narrow
    totals = np.bincount(past.files, change_weights, count)
    best, mean, joint = (np.zeros(count) for _ in range(3))
    hits = np.zeros(len(past))
    for file in dict.fromkeys(numbers):
        with_it = np.zeros(len(past))
        with_it[past.change_commits[past.files == file]] = 1
        hits += with_it
        together = np.bincount(past.files, change_weights * with_it[past.change_commits], count)
        confidence = together / (totals[file] + 0.5)
        best = np.maximum(best, confidence)
        mean += confidence / len(numbers)
        joint += together
    overlap = hits / np.maximum(past.sizes, 1)
    alike = np.bincount(past.files, change_weights * (overlap**2)[past.change_commits], count)
    found = {
        "x_best": share(best[snapshot.files] * (snapshot.files >= 0)),
        "x_mean": share(mean[snapshot.files] * (snapshot.files >= 0)),
        "x_joint": np.log1p(joint[snapshot.files] * (snapshot.files >= 0)),
        "x_alike": share(normal(alike[snapshot.files] * (snapshot.files >= 0))),
    }
    folders = {of_path.folder(path) for path in given}
    endings = {of_path.ending(path) for path in given}
    subjects = {of_path.subject(path) for path in given}
    found["x_folder"] = np.array([float(of_path.folder(path) in folders) for path in snapshot.paths])
    found["x_ending"] = np.array([float(of_path.ending(path) in endings) for path in snapshot.paths])
    found["x_subject"] = np.array([float(of_path.subject(path) in subjects) for path in snapshot.paths])
    given_words = {word for path in given for word in of_path.path_words(path)}
    overlaps = (len(given_words & {*of_path.path_words(path)}) for path in snapshot.paths)
    found["x_words"] = np.array(list(overlaps), float) / max(len(given_words), 1)
    tests = np.array([of_path.kinds_of(path)[0] for path in given]) if given else np.zeros(1)
    found["x_test_missing"] = snapshot.kinds[:, 0] * float(not tests.any())
    found["x_code_missing"] = (1 - snapshot.kinds[:, 0]) * float(bool(tests.all()))
    for path in given:
        if path in places:
            for values in found.values():
                values[places[path]] = 0
    return found


def share(values: Floats) -> Floats:
    """A share as its logarithm, 0 for none, 6.9 for all."""
    return np.log(values + EPSILON) - np.log(EPSILON)


def of_similar(snapshot: Snapshot, title: str) -> Floats:
    """How much past commits with similar titles changed each file, as the logarithm of a share."""
    return _messages(snapshot, words(title))[0]["m_file"]


def _contents(snapshot: Snapshot, query: Query, title: Sequence[str], everything: Sequence[str]) -> Features:
    contents = snapshot.words.find(everything)
    defined = snapshot.defined_words.find(everything)
    by_title = contents.scores(title)
    return {
        "c_rel_title": relative(by_title),
        "c_rank_title": rank_scores(by_title),
        "c_sort_title": _in_sort(snapshot, by_title),
        "c_sort_rank": _rank_in_sort(snapshot, by_title),
        "c_rel_all": relative(contents.scores(everything)),
        "c_code": _in_sort(snapshot, contents.scores(words(query.code))),
        "d_words": relative(defined.scores(title)),
    }


def _in_sort(snapshot: Snapshot, scores: Floats) -> Floats:
    """Scores as a part of the best one of a file of the same sort."""
    best = np.zeros(4)
    np.maximum.at(best, snapshot.sorts, scores)
    return scores / np.where(best > 0, best, 1)[snapshot.sorts]


def _rank_in_sort(snapshot: Snapshot, scores: Floats) -> Floats:
    found = np.zeros(len(scores))
    for sort in range(4):
        here = snapshot.sorts == sort
        found[here] = rank_scores(scores[here])
    return found


def _identifiers(snapshot: Snapshot, query: Query) -> Features:
    spelled = IDENTIFIER.findall(query.text)
    found = snapshot.names.find(spelled)
    code = IDENTIFIER.findall(query.code)
    scores = found.scores(spelled)
    return {
        "i_rel": relative(scores),
        "i_sort": _in_sort(snapshot, scores),
        "i_rank": rank_scores(scores),
        "i_names": relative(found.scores(query.names)),
        "i_code": relative(found.scores(code)),
    }


def _definitions(snapshot: Snapshot, query: Query) -> Features:
    title_names = [name for name in IDENTIFIER.findall(query.title) if len(name) > 2]
    error_names = [name for name in IDENTIFIER.findall(query.errors) if len(name) > 2]
    members = query.members
    everything = {*title_names, *error_names, *query.names, *(name for pair in members for name in pair)}
    found = snapshot.definitions.find(everything)
    by_term = np.bincount(found.places, minlength=len(found.terms))
    places = {term: place for place, term in enumerate(found.terms.tolist())}

    def defines(names: Sequence[str]) -> Floats:
        """1 for each name that a file alone defines, less where others do, too."""
        asked = found.asked(dict.fromkeys(names)) > 0
        weights = asked[found.places] / np.maximum(by_term[found.places], 1)
        return np.bincount(found.rows, weights, len(snapshot)).clip(0, 3)

    both = np.zeros(len(snapshot))
    for owner, name in members[:100]:
        pair = [places.get(number(owner), -1), places.get(number(name), -1)]
        rows = [set(found.rows[found.places == place].tolist()) if place >= 0 else set() for place in pair]
        shared = rows[0] & rows[1]
        for row in shared:
            both[row] += 1 / len(shared)
    return {
        "d_title": defines(title_names),
        "d_names": defines(query.names),
        "d_errors": defines(error_names),
        "d_members": both.clip(0, 3),
    }


def _quoted(snapshot: Snapshot, query: Query) -> Features:
    """Paths and frames, by the longest end that they share with a file's path."""
    last, frames, quoted, titled = (np.zeros(len(snapshot)) for _ in range(4))
    if query.frames or query.paths:
        by_name: dict[str, list[int]] = {}
        for place, path in enumerate(snapshot.paths):
            by_name.setdefault(path.rpartition("/")[2], []).append(place)

        def matching(named: str) -> list[int]:
            parts = [part for part in named.replace("\\", "/").split("/") if part not in ("", ".", "..")]
            rows = by_name.get(parts[-1], []) if parts else []
            lengths = [_shared_end(parts, snapshot.paths[row].split("/")) for row in rows]
            return [row for row, length in zip(rows, lengths, strict=True) if length == max(lengths)]

        for back, frame in enumerate(reversed(query.frames)):
            rows = matching(frame)
            for row in rows:
                frames[row] = max(frames[row], 1 / (1 + back) / len(rows))
        for frame in query.frames[-1:]:
            last[matching(frame)] = 1
        for names, values in ((query.paths, quoted), (query.title_paths, titled)):
            for name in names:
                rows = matching(name)
                for row in rows:
                    values[row] = max(values[row], 1 / len(rows))
    return {"t_last": last, "t_frames": frames, "q_path": quoted, "q_title": titled}


def _shared_end(named: Sequence[str], path: Sequence[str]) -> int:
    count = 0
    for one, other in zip(reversed(named), reversed(path), strict=False):
        if one != other:
            break
        count += 1
    return count


def _path_words(snapshot: Snapshot, query: Query, title: Sequence[str], everything: Sequence[str]) -> Features:
    found = snapshot.path_words.find(everything)
    title_scores, scores = found.scores(title), found.scores(everything)
    all_set = set(everything)
    spelled = {name.lower() for name in IDENTIFIER.findall(query.title)}
    named = np.zeros(len(snapshot))
    stems = np.zeros(len(snapshot))
    for place, path in enumerate(snapshot.paths):
        name = of_path.stem_words(path)
        if name:
            stems[place] = all_set.issuperset(name)
            named[place] = of_path.subject(path) in spelled
    return {
        "p_title": relative(title_scores),
        "p_all": relative(scores),
        "p_stem": stems / np.sqrt(max(stems.sum(), 1)),
        "p_named": named / np.sqrt(max(named.sum(), 1)),
    }


def _messages(snapshot: Snapshot, title: Sequence[str]) -> tuple[Features, Similar]:
    """Files of past commits whose message is like the title."""
    past = snapshot.past
    found = snapshot.titles.find(title)
    similar = Similar.to(snapshot, title, found)
    alike, weight = similar.alike, similar.weights
    recent = 0.5 ** (past.ages / MESSAGE_HALF_LIFE)
    per_change = weight[past.change_commits]
    sizes = past.sizes[past.change_commits]
    per_file = snapshot.by_file(per_change / sizes * snapshot.narrow)
    best = np.zeros(len(past.same) + 1)
    np.maximum.at(best, past.files, alike[past.change_commits] * snapshot.narrow / np.sqrt(sizes))
    first = np.zeros(len(past.same) + 1)
    np.maximum.at(first, past.files, (alike * recent)[past.change_commits] * snapshot.narrow)
    # How often a file that similar messages changed is changed by any message.
    usual = snapshot.activity[:, 2]
    lift = normal(per_file) / (usual + 0.02)
    said = _said(snapshot, found, title)
    features = {
        "m_file": share(normal(per_file)),
        "m_sharp": share(
            normal(snapshot.by_file(weight[past.change_commits] * alike[past.change_commits] ** 2 / sizes))
        ),
        "m_best": best[snapshot.files] * (snapshot.files >= 0),
        "m_first": first[snapshot.files] * (snapshot.files >= 0),
        "m_lift": np.log1p(lift),
        "m_words": relative(said),
        "m_words_rank": rank_scores(said),
        "m_folder": share(snapshot.in_group(snapshot.folders, normal(per_file))),
        "m_ending": share(snapshot.in_group(snapshot.endings, normal(per_file))),
    }
    return features, similar


def _said(snapshot: Snapshot, found: Found, title: Sequence[str]) -> Floats:
    """BM25 of all that past messages said of each file, put together."""
    past = snapshot.past
    recent = (0.5 ** (past.ages / MESSAGE_HALF_LIFE))[past.change_commits] * snapshot.narrow
    lengths = snapshot.by_file(recent)
    norm = K1 * (1 - B + B * lengths / max(lengths.mean(), 1e-9)) + 1e-9
    asked = found.asked(title) * found.shares
    scores = np.zeros(len(snapshot))
    for term in np.flatnonzero(asked).tolist():
        mark = np.zeros(len(past))
        mark[found.rows[found.places == term]] = 1
        counts = snapshot.by_file(recent * mark[past.change_commits])
        scores += asked[term] * counts * (K1 + 1) / (counts + norm)
    return scores
