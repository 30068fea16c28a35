"""Pages, as a browser without scripts gets them and as htmx does: nothing inline, all escaped, nothing opened."""

from __future__ import annotations

import html
import re
from urllib.parse import quote

import httpx2 as httpx
import pytest

from services.web.pages import html_event, static_files
from services.web.viewer import shown
from tests.services.conftest import Asking
from tests.services.injections import INJECTIONS, Tags, assert_guarded, assert_inert
from tests.services.team_site import AS_BROWSER

Client = httpx.AsyncClient
QUESTION = "Where is a large order reduced?"
HTMX = {"HX-Request": "true"}
AS_PROGRAMS = ("*/*", "application/json", "application/json,text/html,application/xhtml+xml,*/*;q=0.7")
"""What programs accept; the last is n8n's."""
PAGES = ("/", "/repositories/shop", "/repositories/none", "/answers/ans_none", "/static/none", "/nowhere", "/chat")


async def answered(client: Client, question: str) -> httpx.Response:
    """The page of an answer, as a browser without scripts gets there."""
    sent = await client.post("/repositories/shop/questions", data={"question": question})
    assert sent.status_code == 303
    return await client.get(sent.headers["Location"])


def test_a_form_leads_to_an_answer_whose_sources_open_at_the_cited_lines(shop: Asking) -> None:
    async def work(client: Client) -> None:
        first = await client.get("/repositories/shop")
        assert "Not indexed yet" in first.text
        page = await answered(client, QUESTION)
        assert_guarded(page)
        made = assert_inert(page.text)
        assert "Reduce the total of a large order by a tenth." in made.text
        assert "shop/basket.py" in made.text
        assert "Why this answer?" in made.text
        links = [
            one.get("href") or "" for tag, one in made.tags if tag == "a" and "reference" in (one.get("class") or "")
        ]
        file = await client.get(links[0])
        assert_guarded(file)
        found = re.search(r"lines=(\d+)-(\d+)#L(\d+)", links[0])
        assert found
        assert_inert(file.text)
        cited = re.findall(r'<span class="row cited" id="L(\d+)">', file.text)
        assert cited == [str(number) for number in range(int(found[1]), int(found[2]) + 1)]
        rows = Tags(file.text).text
        for line in shop.repo.git("show", "HEAD:shop/basket.py").split("\n"):
            assert line in rows
        home = await client.get("/")
        assert "Indexed at" in home.text
        assert "the newest of main" in home.text

    shop(work)


def test_htmx_gets_each_statement_with_its_sources_and_an_end(shop: Asking) -> None:
    async def work(client: Client) -> None:
        part = await client.post("/repositories/shop/questions", data={"question": QUESTION}, headers=HTMX)
        made = assert_inert(part.text)
        (address,) = [one["sse-connect"] for _, one in made.tags if one.get("sse-connect")]
        stream = await client.get(address or "")
        names = re.findall(r"^event: (\w+)$", stream.text, re.MULTILINE)
        assert names[0] == "statement"
        assert "source" in names
        assert names[-3:] == ["state", "ending", "done"]
        swapped = {name for _, one in made.tags for name in (one.get("sse-swap") or "").split(",")}
        assert set(names) <= swapped | {"done"}
        again = await client.get(address or "")
        assert re.findall(r"^event: (\w+)$", again.text, re.MULTILINE) == ["failed", "done"]

    shop(work)


def test_what_goes_wrong_is_a_page_too(shop: Asking) -> None:
    async def work(client: Client) -> None:
        for path in PAGES:
            answer = await client.get(path, headers=AS_BROWSER)
            assert_guarded(answer)
            assert_inert(answer.text)
        assert (await client.get("/repositories/none")).status_code == 404
        empty = await client.post("/repositories/shop/questions", data={"question": " "}, headers=AS_BROWSER)
        assert (empty.status_code, "1 to 2,000 characters" in empty.text) == (422, True)
        put_into = await client.post("/repositories/shop/questions", data={"question": " "}, headers=HTMX)
        assert (put_into.status_code, put_into.text[:2]) == (422, "<p")
        many = await client.post("/repositories/shop/questions", content="&".join(f"x{n}=1" for n in range(50)))
        assert many.status_code == 422
        shop.repo.git("checkout", "-q", "--orphan", "empty")
        failed = await client.post("/repositories/shop/questions", data={"question": "where?"}, headers=HTMX)
        address = re.search(r'sse-connect="([^"]+)"', failed.text)
        assert address
        stream = await client.get(address[1])
        assert "event: failed" in stream.text
        assert "no commits to answer from" in stream.text
        assert stream.text.endswith("event: done\ndata: \n\n")

    shop(work)


def test_people_get_a_page_and_programs_json_about_what_is_not_there(shop: Asking) -> None:
    async def work(client: Client) -> None:
        page = await client.get("/nowhere", headers=AS_BROWSER)
        assert (page.status_code, page.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
        assert "GET /nowhere is not offered" in assert_inert(page.text).text
        other = await client.get("/chat", headers=AS_BROWSER)
        assert (other.status_code, other.headers["Allow"], other.text[:15]) == (405, "POST", "<!doctype html>")
        elsewhere = await client.get("/", headers={**AS_BROWSER, "Origin": "http://evil.example"})
        assert (elsewhere.status_code, elsewhere.text[:15]) == (403, "<!doctype html>")
        for accepted in AS_PROGRAMS:
            for path, code in (("/nowhere", "unknown_url"), ("/repositories/none", "repo_not_found")):
                answer = await client.get(path, headers={"Accept": accepted})
                assert (answer.status_code, answer.json()["error"]["code"]) == (404, code)

    shop(work)


def test_an_index_is_shown_with_its_date_and_size(shop: Asking) -> None:
    async def work(client: Client) -> None:
        first = await client.get("/")
        assert "the first question does it" in first.text
        await answered(client, QUESTION)
        status = (await client.get("/index/status")).json()["repositories"][0]
        size = (shop.cache / "index").glob("*.code.db")
        assert status["date"] == shop.repo.git("log", "-1", "--format=%ad", "--date=short")
        assert status["bytes"] == sum(one.stat().st_size for one in size) > 0
        shown = (await client.get("/")).text
        assert f"The commit is of {status['date']}. The index takes {status['bytes'] / 1000:.1f} kB." in shown

    shop(work)


def test_an_index_that_cannot_be_made_says_what_to_do(shop: Asking) -> None:
    shop.repo.git("checkout", "-q", "--orphan", "empty")

    async def work(client: Client) -> None:
        await client.post("/repositories/shop/questions", data={"question": QUESTION})
        text = (await client.get("/")).text
        assert "no commits to answer from; commit something first" in text
        assert "Try again" in text

    shop(work)


def test_an_index_is_made_by_a_button(shop: Asking) -> None:
    async def work(client: Client) -> None:
        part = await client.post("/repositories/shop/index", headers=HTMX)
        assert_inert(part.text)
        while "Indexed at" not in (await client.get("/repositories/shop/state")).text:
            pass
        assert (await client.post("/repositories/shop/index")).headers["Location"] == "/repositories/shop"

    shop(work)


def test_feedback_is_noted_with_and_without_scripts(shop: Asking) -> None:
    async def work(client: Client) -> None:
        page = await answered(client, QUESTION)
        path = page.url.path
        part = await client.post(f"{path}/feedback", data={"useful": "no"}, headers=HTMX)
        assert "Noted" in part.text
        assert (await client.post(f"{path}/feedback", data={"useful": "yes"})).headers["Location"] == path
        assert (await client.get(f"{path}/why")).json()["useful"] is True
        assert "Noted" in (await client.get(path)).text
        assert (await client.post("/answers/ans_none/feedback", data={"useful": "yes"})).status_code == 404

    shop(work)


def test_paths_are_looked_up_in_the_commit_alone(shop: Asking) -> None:
    (shop.repo.path / "untracked.txt").write_text("nobody committed this")
    head = shop.repo.git("rev-parse", "HEAD")

    async def work(client: Client) -> None:
        for path in (
            "untracked.txt",
            "..%2Funtracked.txt",
            "%2Fetc%2Fpasswd",
            ".git/config",
            "shop",
            "shop/basket.py%0Adocs/guide.md",
            "shop/basket.py%00",
        ):
            answer = await client.get(f"/repositories/shop/files/{head}/{path}")
            assert answer.status_code == 404, path
            assert "root:" not in answer.text
        for commit in ("HEAD", "main", head[:9], "0" * 40, f"{head}^{{tree}}"):
            answer = await client.get(f"/repositories/shop/files/{quote(commit)}/shop/basket.py")
            assert answer.status_code == 404, commit
        assert (await client.get("/repositories/shop/commits/--all")).status_code == 404
        assert (await client.get("/static/..%2Fpages.py")).status_code == 404

    shop(work)


@pytest.mark.parametrize("text", INJECTIONS, ids=range(len(INJECTIONS)))
def test_an_injection_is_inert_wherever_it_stands(shop: Asking, text: str) -> None:
    name = f"docs/{text.replace('/', '-')}.md"
    bare = re.sub(r"\W", "", text)
    title = f"change the large order {text}"
    code = f'def {bare}_order():\n    """Ship a large order {text}."""\n    return {text!r}\n\n\n# {text}\n'
    shop.repo.commit(
        f"{title}\n\nLarge {text}", {name: f"# Large order {text}\n\nA large order {text}\n", "order.py": code}
    )
    head = shop.repo.git("rev-parse", "HEAD")
    plain = "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in text)

    async def work(client: Client) -> None:
        for question in (
            f"Where is a large order shipped {text}?",
            f"why was {bare}_order changed?",
            f"how is {text}?",
        ):
            page = await answered(client, question)
            made = assert_inert(page.text)
            assert plain in made.text
            part = await client.post("/repositories/shop/questions", data={"question": question}, headers=HTMX)
            assert_inert(part.text)
            address = re.search(r'sse-connect="([^"]+)"', part.text)
            assert address
            stream = (await client.get(address[1])).text
            assert_inert(re.sub(r"^(event: \w+|data: )", "", stream, flags=re.MULTILINE))
        for path in ("order.py", quote(name)):
            file = await client.get(f"/repositories/shop/files/{head}/{path}?lines=1-{quote(text)}")
            assert file.status_code == (200 if plain == text or path == "order.py" else 404)
            assert file.status_code == 404 or plain in assert_inert(file.text).text
        commit = await client.get(f"/repositories/shop/commits/{head}")
        assert plain in assert_inert(commit.text).text
        for path in ("repositories", "answers"):
            missing = await client.get(f"/{path}/{quote(text.replace('/', '-'))}", headers=AS_BROWSER)
            assert missing.status_code == 404
            assert_inert(missing.text)

    shop(work)


def test_people_sign_in_with_the_key_and_pages_then_work(shop: Asking) -> None:
    async def work(client: Client) -> None:
        sent_away = await client.get("/", headers=AS_BROWSER)
        assert (sent_away.status_code, sent_away.headers["Location"]) == (303, "/sign-in")
        for accepted in AS_PROGRAMS:
            assert (await client.get("/", headers={"Accept": accepted})).status_code == 401
        from_page = await client.post("/repositories/shop/index", headers=HTMX)
        assert (from_page.status_code, from_page.text[:2], "/sign-in" in from_page.text) == (401, "<p", True)
        assert (await client.post("/chat", json={"question": "x"}, headers=AS_BROWSER)).status_code == 401
        assert (await client.get("/static/style.css")).status_code == 200
        assert_guarded(await client.get("/sign-in"))
        wrong = await client.post("/sign-in", data={"key": "other"})
        assert (wrong.status_code, "set-cookie" in wrong.headers) == (401, False)
        assert "That is not the key." in wrong.text
        right = await client.post("/sign-in", data={"key": "secret"})
        cookie = right.headers["Set-Cookie"]
        assert all(word in cookie for word in ("HttpOnly", "SameSite=lax"))
        assert "secret" not in cookie
        assert (await client.get("/", headers=AS_BROWSER)).status_code == 200  # the client has kept the cookie
        nowhere = await client.post("/repositories/shop/index")
        assert (nowhere.status_code, "Origin" in nowhere.text) == (403, True)
        client.headers["Origin"] = "http://localhost"
        assert (await answered(client, QUESTION)).status_code == 200
        elsewhere = await client.post("/repositories/shop/index", headers={"Origin": "http://evil.example"})
        assert elsewhere.status_code == 403
        kept = right.headers["Set-Cookie"].partition(";")[0]
        out = await client.post("/sign-out")
        assert (out.status_code, out.headers["Location"]) == (303, "/sign-in")
        assert "gitlore_session" not in client.cookies
        assert (await client.get("/", headers={"Cookie": kept})).status_code == 401
        forged = await client.get("/", headers={"Cookie": f"gitlore_session={'f' * 64}"})
        assert forged.status_code == 401

    shop(work, key="secret")


@pytest.mark.parametrize(
    ("wanted", "then"),
    [
        ("/repositories/shop?a=%26%3F", "/repositories/shop?a=%26%3F"),
        ("/answers/ans_1", "/answers/ans_1"),
        ("//evil.example/x", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("/x\r\nSet-Cookie: a=b", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_who_signs_in_comes_to_the_page_of_ours_that_was_wanted(shop: Asking, wanted: str, then: str) -> None:
    async def work(client: Client) -> None:
        form = await client.get("/sign-in", params={"to": wanted})
        hidden = [one for tag, one in assert_inert(form.text).tags if tag == "input" and one.get("name") == "to"]
        assert [one.get("value") for one in hidden] == ([then] if then != "/" else [])
        if then != "/":
            sent_away = await client.get(wanted, headers=AS_BROWSER)
            again = await client.get(sent_away.headers["Location"])
            assert f'value="{html.escape(wanted)}"' in again.text
        right = await client.post("/sign-in", data={"key": "secret", "to": wanted})
        assert right.headers["Location"] == then

    shop(work, key="secret")


def test_no_cookie_opens_what_another_key_guards(shop: Asking) -> None:
    async def sign_in(client: Client) -> str:
        answer = await client.post("/sign-in", data={"key": "secret"})
        return str(answer.headers["Set-Cookie"].partition(";")[0])

    cookie = shop(sign_in, key="secret")

    async def use(client: Client) -> int:
        return (await client.get("/", headers={"Cookie": cookie})).status_code

    assert shop(use, key="secret") == 401  # the service was started again


def test_a_carriage_return_ends_no_event() -> None:
    assert html_event("statement", "a\revent: done\r\n\r\nb") == (
        "event: statement\ndata: a\ndata: event: done\ndata: \ndata: b\n\n"
    )


def test_libraries_of_others_come_with_their_licences() -> None:
    licences = static_files()["LICENSES.txt"][0].decode()
    for name in static_files():
        assert name in licences or name in ("LICENSES.txt", "style.css", "code.css", "keys.js", "icon.svg")


def test_a_file_is_shown_in_part_without_credentials_and_without_being_run() -> None:
    secret = "ghp_" + "a8Zk2" * 7 + "q"
    source = "".join(f"value_{number} = {number}\n" for number in range(5000)).replace("4321\n", f'"{secret}"\n')
    found = shown(source.encode(), "a.py", 4322, 4322)
    assert (found.total, len(found.lines), found.is_whole) == (5000, 2000, False)
    (cited,) = [line for line in found.lines if line.cited]
    assert (cited.number, secret in cited.html) == (4322, False)
    assert "value_4321" in html.unescape(re.sub(r"<[^>]+>", "", cited.html))
    assert shown(b"\0\1", "a.bin", 1, 1).lines == []
    assert [str(line.html) for line in shown(b"<b>\r\nx\ry\n", "a.unknown", 0, 0).lines] == ["&lt;b&gt;", "x\\x0dy"]
    assert shown(b"", "a.py", 1, 2).lines == []
