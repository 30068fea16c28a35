"""Credentials are found whatever surrounds them, and ordinary code is left alone."""

from __future__ import annotations

import random
import string

import pytest
from shortest_texts import shortest

from core.text import secrets
from core.text.grammar import EMAIL, SECRETS, Marker
from core.text.redaction import Redactor
from core.text.secrets import finding
from core.text.secrets.patterns import Pattern, searched
from core.text.secrets.rules import Rule

LETTERS = string.ascii_letters + string.digits
HEX = "0123456789abcdef"


def made_up(length: int, letters: str = LETTERS, seed: int = 7) -> str:
    """Random characters with letters and digits among them; no real key is in this file."""
    return "".join(random.Random(seed).choices(letters, k=length - 2)) + "a7"


BODY = "\n".join(made_up(64, seed=seed) for seed in range(12))
PEM = f"-----BEGIN RSA PRIVATE KEY-----\n{BODY}\n-----END RSA PRIVATE KEY-----"
KEYS = {
    "aws id": ("aws", "AKIA" + made_up(14, string.ascii_uppercase).upper() + "Q7"),
    "aws secret": ("aws", made_up(40)),
    "azure": ("azure", "AccountKey=" + made_up(86) + "=="),
    "url": ("basic_auth", made_up(12)),
    "github": ("github", "ghp_" + made_up(36)),
    "github fine": ("github", "github_pat_" + made_up(22) + "_" + made_up(59)),
    "gitlab": ("gitlab", "glpat-" + made_up(20)),
    "google": ("google", "AIza" + made_up(35)),
    "huggingface": ("huggingface", "hf_" + made_up(34)),
    "jwt": ("jwt", "eyJ" + made_up(20) + "." + made_up(40) + "." + made_up(43)),
    "sendgrid": ("mail", "SG." + made_up(22) + "." + made_up(43)),
    "npm": ("npm", "npm_" + made_up(36)),
    "openai": ("openai", "sk-" + made_up(20) + "T3BlbkFJ" + made_up(20)),
    "anthropic": ("openai", "sk-ant-api03-" + made_up(95)),
    "pypi": ("pypi", "pypi-AgEIcHlwaS5vcmc" + made_up(80)),
    "slack": ("slack", "xoxb-123456789012-123456789012-" + made_up(24)),
    "stripe": ("payment", "sk_live_" + made_up(99)),
    "telegram": ("telegram", "123456789:AA" + made_up(33)),
    "twilio": ("twilio", "AC" + made_up(32, HEX)),
    "private key": ("private_key", PEM),
    "escaped key": ("private_key", PEM.replace("\n", "\\n")),
    "key in a diff": ("private_key", PEM.replace("\n", "\n+")),
    "end of a key": ("private_key", BODY),
    "lines of a key": ("private_key", BODY),
    "one line of a key": ("private_key", BODY[:64]),
    "lines of a key in a string": ("private_key", BODY),
    "password": ("password", "hunter2hunter2"),
    "typed constant": ("password", made_up(32)),
    "environment": ("password", "Sup3rS3cret!"),
    "bearer": ("password", made_up(40)),
    "CRLF": ("password", made_up(12)),
    "no user": ("basic_auth", made_up(12)),
    "percent": ("basic_auth", "a%40d" + made_up(8)),
    "signs": ("password", "Ab1$mF5r(2)nk8!"),
    "Dockerfile": ("password", made_up(16)),
    "comment": ("password", made_up(16)),
    "before a command": ("password", made_up(12)),
    "argument": ("password", made_up(12)),
    "query": ("password", made_up(12)),
    "element": ("password", made_up(12)),
    "hyphen": ("password", made_up(24)),
    "basic": ("password", made_up(24)),
    "end of base64": ("password", made_up(86) + "=="),
    "Django's": ("password", "a1(b)==&&" + made_up(39, string.ascii_lowercase) + "()"),
    "letters alone": ("password", "nyHxWIsYvVrKle"),
    "behind a hunk's place": ("private_key", BODY[:64]),
    "gitlore": ("other", f"glk_{made_up(8, HEX)}_{made_up(43)}"),
    "databricks": ("other", "dapi" + made_up(32, HEX)),
    "mailgun": ("mail", "key-" + made_up(32, HEX)),
}
AROUND = {
    "end of a key": ("", "\n-----END RSA PRIVATE KEY-----"),
    "lines of a key": ("", ""),
    "one line of a key": ("+", ""),
    "lines of a key in a string": ('KEY = """\n', '\n"""'),
    "CRLF": ("DB_PASSWORD=", "\r\nNEXT=1"),
    "end of base64": ('password = "', '"'),
    "Django's": ("SECRET_KEY = '", "'"),
    "letters alone": ("DB_PASSWORD=", ""),
    "behind a hunk's place": ("@@ -19,7 +19,7 @@ ", ""),
    "no user": ("redis://:", "@cache:6379/0"),
    "percent": ("postgres://bob:", "@db/x"),
    "signs": ('password    = b"', '"'),
    "Dockerfile": ("ENV DB_PASSWORD=", ""),
    "comment": ("password: ", "  # of the database"),
    "before a command": ("PGPASSWORD=", " psql -h db"),
    "argument": ("login --password ", ""),
    "query": ("https://example.org/?user=a&password=", "&x=1"),
    "element": ("<password>", "</password>"),
    "hyphen": ("x-api-key: ", ""),
    "basic": ("Authorization: Basic ", ""),
    "aws secret": ("aws_secret_access_key = ", ""),
    "url": ("postgres://user:", "@db.example.org/x"),
    "npm": ("//registry.npmjs.org/:_authToken=", ""),
    "password": ('password = "', '"'),
    "typed constant": ('pub const API_KEY: &str = "', '";'),
    "environment": ("export DB_PASSWORD=", ""),
    "bearer": ("Authorization: Bearer ", ""),
}


@pytest.mark.parametrize("name", KEYS)
def test_every_kind_is_found_whole(name: str) -> None:
    kind, key = KEYS[name]
    before, after = AROUND.get(name, ('let found = "', '";'))
    text = f"fn main() {{\n{before}{key}{after}\n}}\n"
    found = secrets.find(text)
    assert [one.kind for one in found] == [kind]
    left = "".join(piece for piece in Redactor().clean(text) if not isinstance(piece, Marker))
    assert key not in left
    assert not any(key[start : start + 12] in left for start in range(len(key) - 12))


@pytest.mark.parametrize(
    "token",
    [
        "xaat-123e4567-e89b-42d3-a456-426614174a7c",
        made_up(42) + "+ACR" + made_up(6),
        "csk-" + made_up(48),
        "AstraCS:" + made_up(26, string.ascii_letters)[:24] + ":" + made_up(64, HEX),
        "ddp_" + made_up(36),
        "e2b_" + made_up(40, HEX),
        "sk_" + made_up(48, HEX),
        "fc-" + made_up(32, HEX),
        "fw_" + made_up(24),
        "signkey-prod-" + made_up(64, HEX),
        "jina_" + made_up(60),
        "llx-" + made_up(48),
        "napi_" + made_up(64),
        "sntrys_" + made_up(120),
        "secret-live-" + made_up(36),
        "tgp_v1_" + made_up(43),
    ],
)
def test_tokens_are_known_by_their_form_alone(token: str) -> None:
    text = f'client = Client("{token}")'
    assert [text[one.start : one.end] for one in secrets.find(text)] == [token]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("- **Password:** `", "`\n"),
        ("**API token**: ", "\n"),
        ("CREATE LOGIN ada WITH PASSWORD = N'", "';"),
        ('API_KEY = (\n    "', '"\n)\n'),
        ('new NetworkCredential("ada", "', '")'),
        ('credentials = ("ada", "', '")'),
    ],
)
def test_a_password_is_found_whatever_surrounds_it(before: str, after: str) -> None:
    value = made_up(18)
    text = before + value + after
    assert [text[one.start : one.end] for one in secrets.find(text)] == [value]


@pytest.mark.parametrize(
    "text",
    [
        "parse(**token, **{'name2': 1})",
        'tokens = (\n    "first_token2",\n    "second_token2",\n)',
        "**Token:** see the page of `Settings2`",
        "secret ** 2 ** len(text2)",
        "token: CancellationToken,",
        'fn token(&self) -> &str { "invalid_token" }',
        "let password = read_password(prompt)?;",
        'secret = os.environ["SECRET_KEY"]',
        'if line.startswith("-----BEGIN PRIVATE KEY-----"):\n    return parse(rest)\n',
        'if data.startswith("-----BEGIN RSA PRIVATE KEY-----"):\n    return load(data, password=None)\nraise X("no")',
        "Werkzeug logs basic request/response info by default",
        "Token = 0x1234abcd",
        "password: ${DB_PASSWORD}",
        "rev = 9d49c6bf3b4a6c8ad31d7ad9eb6a0a4c6a4a3c6e",
        'url = "https://example.org/a:b@c"',
        "sha256:" + made_up(64, HEX),
        'password = get_password("main", 12)',
        "password: Optional[str2] = None",
        'api_key = "your-api-key-1234"',
        'api_key = "<API_KEY_1>"',
        'token = "xxxxxxxxxxxxxxxx1"',
        "API_TOKEN=changeme123",
        'password: "${DB_PASSWORD_1}"',
        'password_hash = "' + made_up(40, HEX) + '"',
        'token_type: "bearer1234567"',
        '"password": "Contrase\u00f1a"',
        '"password.too_short": "Passwort2 ist zu kurz"',
        'secret_id = "123e4567-e89b-12d3-a456-426614174000"',
        '"integrity": "sha512-' + made_up(86) + '=="',
        "commit " + made_up(40, HEX),
        "id: 123e4567-e89b-12d3-a456-426614174000",
        'src="data:image/png;base64,iVBORw0KGgo' + made_up(80) + '"',
        "-----BEGIN CERTIFICATE-----\n" + BODY + "\n-----END CERTIFICATE-----",
        "class task-" + "some-long-name-of-a-thing-that-goes-on",
        "http://localhost:8080/a@b",
        "https://user:password@example.org",
        "postgres://$USER:$PASS@db",
        "git clone https://github.com/ada/some-long-name-of-a-repository.git",
        "curl -u user:$TOKEN https://example.org",
        "docker login -u ada -p $PASSWORD",
        '("HTTPPasswordMgr", "urllib2")',
        "self.token = parser.token2",
        "tokenizer: WordTokenizer2",
        'assert "Authorization" not in headers, request2.headers',
        'self.assertNotIn("Proxy-Authorization", request2.headers)',
        "https://user2:password2@example.org",
        "s3://aws_key:aws_secret@bucket/export.csv",
        "# SHA1 Fingerprint: 8c:f4:27:fd:79:0c:3a:d1:66:06:8d:e8:1e:57:ef:bb:93:22:72:d4",
        'token = "0x' + made_up(40, HEX) + '"',
        "password: |\n  ${DB_PASSWORD}\n",
        "jwt.sign(payload, process.env.JWT_SECRET_2)",
        'user.setPassword("password")',
        "src/app.py:5432:error:undefined:name",
        "<password>\n    ${db.password}\n</password>",
        "21225780:EverymajordevelopmentinthehistoryofAmerica",
    ],
)
def test_ordinary_code_is_not_a_secret(text: str) -> None:
    assert secrets.find(text) == []


FINDERS = finding.all_finders()


@pytest.mark.parametrize("number", [number for number, one in enumerate(FINDERS) if isinstance(one, Rule)])
def test_the_fast_pass_misses_nothing_that_a_rule_finds(number: int) -> None:
    rule = FINDERS[number]
    assert isinstance(rule, Rule)
    sample = shortest(rule.pattern)
    data = searched(f"fn a() {{}}\n{sample}\n")
    assert Pattern(rule.pattern).within(data, 0, len(data)), sample
    assert number in finding._anchors().which(data)
    assert secrets.suspects(["a", sample, "b"])


def test_what_is_no_ascii_keeps_its_place() -> None:
    key = KEYS["github"][1]
    text = f"caf\u00e9 \u65e5\u672c \ud800 {key} \U0001f600"
    assert [text[one.start : one.end] for one in secrets.find(text)] == [key]


@pytest.mark.parametrize("start", ["MIIDoTCCAomg", "MIIDNTCCAh2g", "DwAwggEKAoIBAQDc", "ADCCAQoCggEBAJrd"])
def test_certificates_and_public_keys_behind_a_key_are_left(start: str) -> None:
    public = f"{start}{made_up(64 - len(start), seed=3)}\n{made_up(64, seed=4)}"
    text = f"{PEM}\n{public}\n"
    assert [text[one.start : one.end] for one in secrets.find(text)] == [PEM]


def test_masks_are_where_the_secrets_were() -> None:
    key = KEYS["github"][1]
    assert Redactor().clean(f"a {key} b {key}") == ("a ", SECRETS["github"], " b ", SECRETS["github"])
    assert Redactor(secrets=False).clean(key) == (key,)
    assert Redactor().clean("") == ()


def test_addresses_are_masked_where_asked() -> None:
    text = "by Ada <ada@example.org>"
    assert Redactor(emails=True).clean(text) == ("by Ada <", EMAIL, ">")
    assert Redactor().clean(text) == (text,)
    both = f"ada@example.org {KEYS['google'][1]}"
    assert Redactor(emails=True).clean(both) == (EMAIL, " ", SECRETS["google"])
    assert not Redactor(emails=True).has_secret(text)
    assert Redactor().has_secret("x", both)
