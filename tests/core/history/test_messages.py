"""Trailers, reverts, cherry-picks, bots and pseudonyms."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import Repo, scrape

from core.errors import UserError
from core.history.messages import Pseudonyms, facts_of, is_bot
from core.records.commits import CommitMetadata


def committed(repo: Repo, folder: Path, message: str, **settings: object) -> CommitMetadata:
    repo.commit(message, {"file": message})
    return scrape(repo.path, folder, **settings).commits[-1].metadata


def test_trailers_are_gits_own(history: Repo, tmp_path: Path) -> None:
    meta = committed(
        history,
        tmp_path / "out",
        "Subject\n\nBody: with a colon,\nnot a trailer. Closes owner/name#3, #4 and #5.\n\n"
        "Co-Authored-By: Bob <bob@example.org>\nco-authored-by: Cyd\n <cyd@example.org>\nSigned-off-by: Ada <a@x>\n"
        "Fixes: #12\n",
    )
    assert meta.trailers == {
        "Co-authored-by": ["Bob <bob@example.org>", "Cyd <cyd@example.org>"],
        "Signed-off-by": ["Ada <a@x>"],
        "Fixes": ["#12", "owner/name#3", "#4", "#5"],
    }


@pytest.mark.parametrize(
    ("subject", "issues"),
    [
        ("fix #1", ["#1"]),
        ("Fixed: #1", ["#1"]),
        ("Resolves https://github.com/a/b/issues/9", ["https://github.com/a/b/issues/9"]),
        ("prefix #1", []),
        ("fixes the bug of #1", []),
        ("see #1", []),
    ],
)
def test_closing_words(subject: str, issues: list[str]) -> None:
    assert facts_of(subject, "", "").trailers.get("Fixes", []) == issues


def test_reverts_and_cherry_picks(history: Repo, tmp_path: Path) -> None:
    history.git("checkout", "-q", "-b", "side", "HEAD~1")
    picked = history.commit("to be picked", {"side": "1\n"})
    history.git("checkout", "-q", "main")
    reverted = history.git("rev-parse", "HEAD")
    history.clock += 3600
    history.git("revert", "--no-edit", "HEAD", GIT_COMMITTER_DATE=f"{history.clock} +0000")
    history.clock += 3600
    history.git("cherry-pick", "-x", "side", GIT_COMMITTER_DATE=f"{history.clock} +0000")
    commits = {commit.metadata.hash: commit for commit in scrape(history.path, tmp_path / "out").commits}
    revert, pick = (commits[history.git("rev-parse", name)] for name in ("HEAD~1", "HEAD"))
    assert (revert.metadata.is_revert, revert.metadata.reverts) == (True, [reverted])
    assert revert.metadata.trailers["Reverts"] == [reverted]
    assert (pick.metadata.cherry_pick_of, pick.metadata.is_revert) == (picked, False)
    assert pick.metadata.patch_id == commits[picked].metadata.patch_id
    assert (commits[picked].duplicate_of, pick.duplicate_of) == (None, picked)


@pytest.mark.parametrize("subject", ["revert: feat(x): y", "Revert(api)!: z", 'revert "x"'])
def test_revert_subjects(subject: str) -> None:
    assert facts_of(subject, "", "").is_revert


@pytest.mark.parametrize("subject", ["Reverting is hard", "Do not revert: x", 'Reapply "x"', "revertible"])
def test_other_subjects(subject: str) -> None:
    assert not facts_of(subject, "", "").is_revert


@pytest.mark.parametrize(
    ("name", "email", "bot"),
    [
        ("dependabot[bot]", "x", True),
        ("anything", "49699333+dependabot[bot]@users.noreply.github.com", True),
        ("renovate-bot", "x", True),
        ("GitHub Actions", "x", False),
        ("github-actions", "x", True),
        ("my deploy bot", "x", True),
        ("Abbot", "abbot@example.org", False),
        ("Robot Jones", "jones@example.org", False),
        ("Talbot", "x", False),
    ],
)
def test_bots(name: str, email: str, bot: bool) -> None:
    assert is_bot(name, email) is bot


def test_pseudonyms_are_stable_and_keyed() -> None:
    one, other = Pseudonyms(b"one"), Pseudonyms(b"other")
    assert one.of("Ada@Example.org ") == one.of("ada@example.org") != other.of("ada@example.org")
    assert one.of("") == ""
    assert one.within("x <ada@example.org>, y") == f"x <{one.of('ada@example.org')}>, y"


@pytest.mark.parametrize(
    "address",
    [
        *("eve@example.org", "root@localhost", "o'brien@example.com", "a=b@example.com", "user/dept@example.com"),
        *('"john doe"@example.com', "bob@[192.168.0.1]", "x+y@mail.example.co.uk", "jörg@exämple.org"),
    ],
)
def test_addresses_of_every_form(address: str) -> None:
    key = Pseudonyms(b"key")
    assert key.within(f"Thanks to {address}, and bye.") == f"Thanks to {key.of(address)}, and bye."
    assert key.within(f"X <{address}>") == f"X <{key.of(address)}>"
    assert key.within(key.within(f"by {address}")) == key.within(f"by {address}")


def test_text_that_is_not_an_address_stays() -> None:
    for text in ("uses: actions/checkout@v4", "thanks @ada", "Bump lodash@4 to @types/node", "a @ b"):
        assert Pseudonyms(b"key").within(text) == text
    assert "foo@bar" not in Pseudonyms(b"key").within("<foo@bar>")


def test_filters_and_bots_know_people_by_their_real_addresses(history: Repo, tmp_path: Path) -> None:
    email = "49699333+dependabot[bot]@users.noreply.github.com"
    history.commit("bump", {"x": "1\n"}, GIT_AUTHOR_NAME="Updater", GIT_AUTHOR_EMAIL=email)
    for settings in ({"authors": ("ada@example.org",)}, {"bots": False}, {"exclude_authors": (r"\[bot\]",)}):
        found = scrape(history.path, tmp_path / "out", redact_emails=True, **settings)
        assert len(found.commits) == 12


def test_no_address_is_left(history: Repo, tmp_path: Path) -> None:
    message = (
        "Subject\n\nThanks to eve@example.org.\n\nCo-authored-by: Bob <bob@example.org>\nReviewed-by: ada@example.org"
    )
    plain = committed(history, tmp_path / "plain", message)
    found = scrape(history.path, tmp_path / "out", redact_emails=True)
    assert all("example.org" not in repr(commit.metadata) for commit in found.commits)
    meta = found.commits[-1].metadata
    assert meta.author == plain.author
    assert {commit.metadata.author_email for commit in found.commits} == {meta.author_email} == {meta.committer_email}
    assert meta.trailers["Reviewed-by"] == [meta.author_email]
    assert [commit.diffs for commit in found.commits][:-1] == [
        commit.diffs for commit in scrape(history.path, tmp_path / "plain").commits
    ][:-1]
    salt = tmp_path / "out" / "email_salt"
    assert salt.stat().st_mode & 0o777 == 0o600
    own = tmp_path / "salt"
    own.write_bytes(salt.read_bytes() + b"\n")
    settings = {"redact_emails": True, "email_salt_file": str(own)}
    assert scrape(history.path, tmp_path / "own", **settings).text == found.text
    own.write_bytes(b"")
    with pytest.raises(UserError, match="empty"):
        scrape(history.path, tmp_path / "own", **settings)


def test_mailmap_only_where_asked(history: Repo, tmp_path: Path) -> None:
    history.commit("map", {".mailmap": "Ada Lovelace <ada@new.example> <ada@example.org>\n"})
    assert scrape(history.path, tmp_path / "plain").commits[0].metadata.author == "Ada"
    meta = scrape(history.path, tmp_path / "out", mailmap=True).commits[0].metadata
    assert (meta.author, meta.author_email, meta.committer) == ("Ada Lovelace", "ada@new.example", "Ada Lovelace")
