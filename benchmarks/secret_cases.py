"""Made-up credentials of many kinds in many surroundings: texts, and what of each is to be masked.

They are drawn by chance (seeded); none stands in this file. Shapes and surroundings were written from what providers
document and from what people commit, not from the rules.
"""

from __future__ import annotations

import base64
import random
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass

from core.text.secrets import find

_HEX = string.digits + "abcdef"
_LETTERS = {
    "a": string.ascii_letters + string.digits,  # letters and digits
    "l": string.ascii_lowercase + string.digits,
    "u": string.ascii_uppercase + string.digits,
    "h": _HEX,
    "H": string.digits + "ABCDEF",
    "d": string.digits,
    "w": string.ascii_letters + string.digits + "_-",
    "b": string.ascii_letters + string.digits + "+/",
    "L": string.ascii_letters,
    "t": string.ascii_uppercase + "234567",
    "s": string.ascii_letters + string.digits + "!#%*+_.~?-",  # passwords
}
_PART = re.compile(r"<(\w)(\d+)>")
UUID = "<h8>-<h4>-<h4>-<h4>-<h12>"

TOKENS = {
    "1password account": "A3-<u6>-<u6>-<u5>-<u5>-<u5>-<u5>",
    "adafruit": "aio_<a28>",
    "airtable": "pat<a14>.<h64>",
    "aiven": "AVNS_<w19>",
    "alibaba": "LTAI<a20>",
    "anthropic": "sk-ant-api03-<w93>AA",
    "anthropic admin": "sk-ant-admin01-<w93>AA",
    "apify": "apify_api_<a36>",
    "artifactory": "AKCp<a69>",
    "asana": "1/<d16>:<h32>",
    "atlassian": "ATATT3xFfGF0<w180>",
    "atlassian app": "ATCTT3xFfG<w170>",
    "aws id": "AKIA<t16>",
    "aws session id": "ASIA<t16>",
    "aws bedrock": "ABSK<b126>",
    "azure ad": "<a3>8Q~<w34>",
    "azure devops": "<a76>AZDO<a4>",
    "azure storage": "DefaultEndpointsProtocol=https;AccountName=logs;AccountKey=<b86>==",
    "azure signature": "https://logs.blob.core.windows.net/a/b.txt?sv=2022-11-02&sp=r&sig=<a20>%2B<a21>%3D",
    "bitbucket": "ATBB<a32>",
    "bitbucket data center": "BBDC-<a44>",
    "braintree": "access_token$production$<l16>$<h32>",
    "brevo": "xkeysib-<h64>-<a16>",
    "buildkite": "bkua_<h40>",
    "circleci": "CCIPAT_<a22>_<h40>",
    "clickhouse": "4b1d<a38>",
    "clojars": "CLOJARS_<h60>",
    "cloudflare": "cfut_<a48>",
    "cloudflare origin": "v1.0-<h24>-<h146>",
    "contentful": "CFPAT-<w43>",
    "crates.io": "cio<a32>",
    "databricks": "dapi<h32>",
    "deepseek": "sk-<h32>",
    "digitalocean": "dop_v1_<h64>",
    "discord": "MT<a24>.<w6>.<w38>",
    "discord webhook": "https://discord.com/api/webhooks/<d18>/<w68>",
    "docker hub": "dckr_pat_<w27>",
    "doppler": "dp.pt.<a43>",
    "dropbox": "sl.<w137>",
    "duffel": "duffel_live_<w43>",
    "dynatrace": "dt0c01.<u24>.<u64>",
    "easypost": "EZAK<a54>",
    "facebook": "EAAM<a140>",
    "figma": "figd_<w40>",
    "flutterwave": "FLWSECK-<l32>-X",
    "fly.io": "fo1_<w43>",
    "fly.io macaroon": "fm2_<b160>",
    "frame.io": "fio-u-<w64>",
    "github": "ghp_<a36>",
    "github app": "ghs_<a36>",
    "github fine-grained": "github_pat_<a22>_<a59>",
    "github oauth": "gho_<a36>",
    "gitlab": "glpat-<w20>",
    "gitlab deploy": "gldt-<w20>",
    "gitlab routable": "glpat-<w27>.01.<l9>",
    "gitlab runner": "glrt-<w20>",
    "gocardless": "live_<w40>",
    "google api": "AIza<w35>",
    "google oauth": "GOCSPX-<w28>",
    "google access": "ya29.<w140>",
    "google refresh": "1//0<w60>",
    "grafana": "glsa_<a32>_<h8>",
    "grafana cloud": "glc_eyJ<a120>",
    "groq": "gsk_<a52>",
    "harness": "pat.<w22>.<h24>.<a20>",
    "heroku": "HRKU-AA<w58>",
    "hubspot": f"pat-na1-{UUID}",
    "hugging face": "hf_<L34>",
    "infracost": "ico-<a32>",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIi<a60>.<w43>",
    "langfuse": f"sk-lf-{UUID}",
    "langsmith": "lsv2_pt_<h32>_<h10>",
    "launchdarkly": f"sdk-{UUID}",
    "linear": "lin_api_<a40>",
    "mailchimp": "<h32>-us14",
    "mailgun": "key-<h32>",
    "mapbox": "sk.eyJ1Ijoi<w50>.<w22>",
    "maxmind": "<a6>_<a29>_mmk",
    "mercado pago": "APP_USR-<d16>-<d6>-<h32>-<d9>",
    "netlify": "nfp_<a36>",
    "new relic": "NRAK-<u27>",
    "notion": "ntn_<d11><a35>",
    "notion old": "secret_<a43>",
    "npm": "npm_<a36>",
    "nuget": "oy2<l43>",
    "nvidia": "nvapi-<w64>",
    "octopus": "API-<u26>",
    "openai": "sk-<a20>T3BlbkFJ<a20>",
    "openai project": "sk-proj-<w74>T3BlbkFJ<w74>",
    "openrouter": "sk-or-v1-<h64>",
    "openshift": "sha256~<w43>",
    "perplexity": "pplx-<a48>",
    "pinecone": "pcsk_<a6>_<a63>",
    "plaid": f"access-production-{UUID}",
    "planetscale": "pscale_tkn_<w43>",
    "posthog": "phx_<a43>",
    "postman": "PMAK-<h24>-<h34>",
    "prefect": "pnu_<a36>",
    "pulumi": "pul-<h40>",
    "pypi": "pypi-AgEIcHlwaS5vcmc<w150>",
    "razorpay": "rzp_live_<a14>",
    "readme": "rdme_<l70>",
    "render": "rnd_<a32>",
    "replicate": "r8_<a37>",
    "resend": "re_<a8>_<a24>",
    "rubygems": "rubygems_<h48>",
    "scalingo": "tk-us-<w48>",
    "sendgrid": "SG.<w22>.<w43>",
    "sentry": "sntrys_eyJpYXQiO<b120>_<b43>",
    "sentry user": "sntryu_<h64>",
    "shippo": "shippo_live_<h40>",
    "shopify": "shpat_<h32>",
    "slack bot": "xoxb-<d12>-<d13>-<a24>",
    "slack app": "xapp-1-A<u10>-<d13>-<h64>",
    "slack webhook": "https://hooks.slack.com/services/T<u8>/B<u10>/<a24>",
    "snyk": "snyk_uat.<a8>.<w60>",
    "sonarqube": "squ_<h40>",
    "sourcegraph": "sgp_<h16>_<h40>",
    "square": "EAAA<w60>",
    "square oauth": "sq0csp-<w43>",
    "stripe": "sk_live_<a24>",
    "stripe restricted": "rk_live_<a99>",
    "stripe webhook": "whsec_<a32>",
    "supabase": "sbp_<h40>",
    "supabase secret": "sb_secret_<w31>",
    "tailscale": "tskey-auth-<a12>CNTRL-<a32>",
    "tavily": "tvly-<a32>",
    "teams webhook": f"https://x.webhook.office.com/webhookb2/{UUID}@{UUID}/IncomingWebhook/<h32>/{UUID}",
    "telegram": "<d10>:AA<w33>",
    "tencent": "AKID<a32>",
    "terraform cloud": "<a14>.atlasv1.<w67>",
    "twilio": "SK<h32>",
    "typeform": "tfp_<w44>",
    "vault": "hvs.<w90>",
    "vercel": "vcp_<a40>",
    "xai": "xai-<a80>",
    "yandex": "y0_<w58>",
}
"""What tokens look like, by provider: <h8> are eight characters of an alphabet in _LETTERS."""
PASSWORDS = {
    "password": "<s16>",
    "short password": "<L5>7!<L3>",
    "hex secret": "<h40>",
    "twilio token": "<h32>",
    "aws secret": "<b40>",
    "base64 secret": "<b43>=",
    "long secret": "<a400>",
    "letters and digits": "<a24>",
}
"""Nothing but a name beside them tells what they are."""

NEUTRAL = {
    "python": 'client = Client("{}")',
    "javascript": "const client = new Client('{}', {{ retries: 3 }});",
    "go": "client := api.New(`{}`)",
    "rust": 'let client = Client::new("{}".into());',
    "json": '{{"endpoint": "https://example.org", "value": "{}"}}',
    "yaml": "service:\n  value: {}\n  region: eu",
    "env file": "SERVICE={}\nREGION=eu",
    "properties": "service.value={}",
    "terraform": 'service = {{\n  value = "{}"\n}}',
    "notebook": '   "client = Client(\\"{}\\")\\n",',
    "dockerfile": "ENV SERVICE {}",
    "shell": "./deploy --with {} --fast",
    "url": "https://example.org/v1/items?k={}&page=2",
    "xml attribute": '<add name="service" value="{}"/>',
    "xml element": "<value>{}</value>",
    "header": "curl -H 'X-Service: {}' https://example.org",
    "diff added": '@@ -3,2 +3,2 @@ def main():\n-    connect(None)\n+    connect("{}")',
    "diff removed": "@@ -3,2 +3,2 @@ def main():\n-{}\n+import os",
    "comment": "    # until Friday we use {} for this",
    "commit message": "Remove {}, which was never meant to be here",
    "markdown": "Call it with `{}`.",
    "csv": "7,service,{},eu",
    "two in a row": "{0}\n{0}",
}
NAMED = {
    "python": 'PASSWORD = "{}"',
    "python dict": "'password': '{}',",
    "keyword": 'connect("db", password="{}")',
    "java": 'private static final String API_KEY = "{}";',
    "typescript": "const clientSecret: string = '{}';",
    "rust": 'pub const API_KEY: &str = "{}";',
    "php": "define('DB_PASSWORD', '{}');",
    "ruby": "  secret_key_base: '{}'",
    "json": '{{"user": "app", "password": "{}"}}',
    "json in a string": '"{{\\"api_key\\": \\"{}\\"}}"',
    "notebook": '   "api_key = \\"{}\\"\\n",',
    "yaml": "db:\n  password: {}\n  user: app",
    "yaml quoted": 'db:\n  password: "{}"',
    "compose list": "    environment:\n      - POSTGRES_PASSWORD={}\n",
    "kubernetes env": "        - name: DB_PASSWORD\n          value: {}\n",
    "kubernetes secret": "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  pg: {}\n",
    "env file": "DB_PASSWORD={}\nREGION=eu",
    "export": "export API_TOKEN={}",
    "before a command": "PGPASSWORD={} psql -h db",
    "dockerfile": "ENV DB_PASSWORD {}",
    "dockerfile equals": "ARG API_TOKEN={}",
    "properties": "spring.datasource.password={}",
    "ini": "[db]\npassword = {}\n",
    "toml": '[db]\npassword = "{}"',
    "terraform": 'resource "db" "a" {{\n  password = "{}"\n}}',
    "terraform variable": 'variable "db_password" {{\n  type = string\n  default = "{}"\n}}',
    "terraform state": '"type": "random_password",\n"instances": [{{"attributes": {{"length": 16, "result": "{}"}}}}]',
    "xml attribute": '<connection user="app" password="{}"/>',
    "xml pair": '<add key="ApiKey" value="{}"/>',
    "xml element": "<password>{}</password>",
    "connection string": '"Server=db;User Id=app;Password={};Encrypt=true"',
    "netrc": "machine example.org login ada password {}",
    "netrc lines": "machine example.org\n  login ada\n  password {}\n",
    "diff added": '@@ -1,2 +1,2 @@\n-password = None\n+password = "{}"',
    "diff removed": "@@ -1,2 +1,2 @@\n-  password: {}\n+  password: ${{DB_PASSWORD}}",
    "url": "postgres://app:{}@db.example.org/x",
    "url without user": "redis://:{}@cache:6379/0",
    "curl": "curl -u ada:{} https://example.org/api",
    "curl header": 'curl -H "Authorization: Bearer {}" https://example.org',
    "docker login": "docker login -u ada -p {} registry.example.org",
    "mysql": "mysql -u root -p{} shop < dump.sql",
    "sshpass": "sshpass -p '{}' ssh ada@example.org",
    "option": "./deploy --password {} --fast",
    "setter": 'source.setPassword("{}");',
    "function around": 'let token = String::from("{}");',
    "macro": '#define WIFI_PASSWORD "{}"',
    "array": 'static const char api_key[] = "{}";',
    "gradle": "storePassword '{}'",
    "default in python": "SECRET = os.getenv('SECRET') or '{}'",
    "sql": "CREATE USER ada IDENTIFIED BY '{}';",
    "yaml block": "db:\n  password: >-\n    {}\n  user: app\n",
    "heredoc": "password = <<EOF\n{}\nEOF\n",
    "makefile": "API_TOKEN := {}\n",
    "plist": "<key>APIKey</key>\n<string>{}</string>",
    "android": '<string name="api_secret">{}</string>',
    "xml lines": "<password>\n        {}\n</password>",
    "aligned": "password   =      {}   \n",
    "redis file": "requirepass {}\n",
    "comment": "# the password is: {}\n",
    "commit message": "Log in with password: {}",
}
SPECIAL = {
    "docker auth": '{{"auths": {{"registry.example.org": {{"auth": "{b:app:<a20>}"}}}}}}',
    "kubeconfig key": (
        "    client-key-data: {b:-----BEGIN RSA PRIVATE KEY-----\n<b64>\n<b64>\n-----END RSA PRIVATE KEY-----\n}\n"
    ),
    "kubeconfig token": "users:\n- name: ada\n  user:\n    token: <a64>\n",
    "kubernetes data": "kind: Secret\ndata:\n  user: {b:app-<a12>}\n  anything: {b:<a18>}\ntype: Opaque\n",
    "wrapped github": "value: {b:ghp_<a36>}",
    "wrapped stripe": 'x = "{b:sk_live_<a24>}"',
    "wrapped key": "KEY={b:-----BEGIN OPENSSH PRIVATE KEY-----\n<b70>\n<b70>\n-----END OPENSSH PRIVATE KEY-----}",
    "token in a url": "git clone https://<a40>@github.com/ada/x.git",
    "token as a user": "https://oauth2:<w24>@gitlab.example.org/ada/x.git",
    "password with a slash": "postgres://app:<a8>/<a8>@db.example.org/x",
    "basic header": "Authorization: Basic {b:app:<a16>}",
    "npmrc": "//registry.example.org/:_authToken=<a40>",
    "aws pair": "AKIA<t16>,<b40>",
    "private key": "-----BEGIN PRIVATE KEY-----\n<b64>\n<b64>\n<b40>\n-----END PRIVATE KEY-----",
    "private key in a string": 'KEY = "-----BEGIN EC PRIVATE KEY-----\\n<b64>\\n<b64>\\n-----END EC PRIVATE KEY-----"',
    "private key in a diff": "+-----BEGIN RSA PRIVATE KEY-----\n+<b64>\n+<b64>\n+<b20>\n+-----END RSA PRIVATE KEY-----",
    "part of a key": "@@ -9,3 +9,3 @@\n+<b64>\n+<b64>\n",
    "age key": "AGE-SECRET-KEY-1<u58>",
    "pgp key": "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n<b64>\n<b64>\n=<b4>\n-----END PGP PRIVATE KEY BLOCK-----",
    "openvpn key": "-----BEGIN OpenVPN Static key V1-----\n<h32>\n<h32>\n-----END OpenVPN Static key V1-----",
    "json web key": '{{"kty": "OKP", "crv": "Ed25519", "d": "<w43>"}}',
    "ethereum key": "PRIVATE_KEY=0x<h64>",
    "pgpass": "db.example.org:5432:shop:app:<a16>\n",
    "htpasswd": "ada:$apr1$<a8>$<a22>\n",
    "htpasswd bcrypt": "ada:$2y$10$<a53>\n",
    "go data source": 'sql.Open("mysql", "app:<a14>@tcp(127.0.0.1:3306)/shop")',
    "oracle": "jdbc:oracle:thin:app/<a14>@db:1521:XE",
    "two arguments": "requests.get(url, auth=('ada', '<a16>'))",
    "sign": "jwt.sign(payload, '<a32>')",
    "secure string": 'ConvertTo-SecureString "<a16>" -AsPlainText -Force',
    "twilio pair": 'Client("AC<h32>", "<h32>")',
    "telegram url": "https://api.telegram.org/bot<d10>:AA<w33>/sendMessage",
    "sentry dsn": "https://<h32>:<h32>@sentry.example.org/1",
    "kubernetes json": '{{"kind":"Secret","data":{{"pg":"{b:<a18>}"}}}}',
    "composer": '{{"github-oauth": {{"github.com": "<h40>"}}}}',
    "openssl": "openssl rsa -in a.pem -passin pass:<a12>",
    "redis-cli": "redis-cli -h cache -a <a20> ping",
    "sudo": "echo '<a12>' | sudo -S apt update",
    "helm literal": "kubectl create secret generic db --from-literal=pg=<a16>",
    "git config": 'git config http.extraheader "AUTHORIZATION: basic {b:x:<a40>}"',
}
"""Whole texts; {b:…} is in base64. Each run of eight drawn characters or more is to be masked."""


@dataclass(frozen=True)
class Case:
    """A text with a credential in it."""

    kind: str
    surrounding: str
    text: str
    secrets: tuple[str, ...]
    """What may not be left of it."""

    @property
    def is_masked(self) -> bool:
        """Nothing of the secrets is left, as far as twelve characters of it would tell."""
        left, last = "", 0
        for start, end, _ in find(self.text):
            left, last = left + self.text[last:start] + "\0", end
        left += self.text[last:]
        return not any(part in left for secret in self.secrets for part in _parts(secret))


def cases(seed: int = 11) -> Iterator[Case]:
    """Every kind in every surrounding that it goes into."""
    chance = random.Random(seed)
    for kind, shape in TOKENS.items():
        for surrounding, template in NEUTRAL.items():
            value, drawn = draw(shape, chance)
            yield Case(kind, surrounding, _placed(template, value), drawn)
        value, drawn = draw(shape, chance)
        yield Case(kind, "base64", f'wrapped = "{_base64(value)}"', (_base64(value),))
    for kind, shape in PASSWORDS.items():
        for surrounding, template in NAMED.items():
            value, drawn = draw(shape, chance)
            if kind in ("aws secret", "base64 secret") and surrounding == "url":
                value, drawn = value.replace("/", "%2F"), ()
            yield Case(kind, f"named: {surrounding}", _placed(template, value), (value,))
    for kind, template in SPECIAL.items():
        for _ in range(4):
            yield _special(kind, template, chance)


def draw(shape: str, chance: random.Random) -> tuple[str, tuple[str, ...]]:
    """(a value of this shape, its drawn parts of eight characters and more)."""
    drawn: list[str] = []

    def part(match: re.Match[str]) -> str:
        letters, length = _LETTERS[match[1]], int(match[2])
        made = "".join(chance.choices(letters, k=length))
        if letters.strip(string.ascii_letters) and length >= 8 and made.isalpha():
            made = made[:-1] + "7"
        if length >= 8:
            drawn.append(made)
        return made

    value = _PART.sub(part, shape)
    return value, tuple(drawn) or (value,)


def _placed(template: str, value: str) -> str:
    return template.format(value)


def _special(kind: str, template: str, chance: random.Random) -> Case:
    secrets: list[str] = []

    def wrapped(match: re.Match[str]) -> str:
        value, _ = draw(match[1], chance)
        secrets.append(_base64(value))
        return secrets[-1]

    text = re.sub(r"\{b:([^}]*)\}", wrapped, template)
    text, drawn = draw(text.replace("{{", "{").replace("}}", "}"), chance)
    return Case(kind, "its own", text, (*secrets, *(part for part in drawn if part != text)))


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _parts(secret: str, length: int = 12) -> set[str]:
    return {secret[at : at + length] for at in range(max(len(secret) - length, 0) + 1)}
