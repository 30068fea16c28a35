"""Tokens that are known by their form: one row for each provider.

A row says how the token begins and what follows. Its last run of characters is as long as the row allows: one that goes
on is another thing. Prefixes, alphabets and lengths are those that providers and the well-kept detectors document.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from core.text.secrets.rules import Rule, anything
from core.text.secrets.values import entropy, is_placeholder, is_token

_AN = "[A-Za-z0-9]"
_WORD = "[A-Za-z0-9_-]"
_HEX = "[a-f0-9]"
_ANYHEX = "[A-Fa-f0-9]"
_B64 = "[A-Za-z0-9+/]"
_URL64 = "[A-Za-z0-9_=-]"
_FIRST_RUN = re.compile(r"(\[[^\]]+\])\{(\d+)")
_IN_ANCHOR = 8
"""Characters behind the prefix that an anchor has, so that words that begin like a token are left alone."""
_LONGEST = 650
_LEAST_OF_CAPITALS = 2.5
_UUID = f"{_ANYHEX}{{8}}-{_ANYHEX}{{4}}-{_ANYHEX}{{4}}-{_ANYHEX}{{4}}-{_ANYHEX}{{12}}"


@dataclass(frozen=True)
class Form:
    """How the tokens of one provider look."""

    provider: str
    kind: str
    prefix: str
    """What they begin with, or, with `back`, what stands within them."""
    rest: str
    """What follows, as a pattern; with `back`, the whole token."""
    back: int = 0
    own_word: bool = True
    guard: Callable[[str], bool] = is_token

    @property
    def rule(self) -> Rule:
        """The rule that finds them."""
        if self.back:
            return Rule(self.kind, self.prefix, self.rest, self.guard, self.back, _LONGEST, own_word=self.own_word)
        begins = _FIRST_RUN.match(self.rest)
        few = f"{begins[1]}{{{min(int(begins[2]), _IN_ANCHOR)}}}" if begins else ""
        prefix = f"(?:{self.prefix})"
        return Rule(self.kind, prefix + few, prefix + self.rest, self.guard, 0, _LONGEST, own_word=self.own_word)


def _is_drawn(value: str) -> bool:
    return not is_placeholder(value) and entropy(value) >= _LEAST_OF_CAPITALS


def _has_digit(value: str) -> bool:
    return is_token(value) and any(letter.isdigit() for letter in value.partition(":")[2] or value)


FORMS = (
    Form("1Password", "other", "A3-", "[A-Z0-9]{6}-[A-Z0-9]{6}-?[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}"),
    Form("1Password service account", "other", "ops_eyJ", f"{_B64}{{40,560}}={{0,3}}"),
    Form("Adafruit IO", "other", "aio_", f"{_AN}{{28}}"),
    Form("Adobe", "cloud", "p8e-", "[A-Za-z0-9_-]{32}"),
    Form("Airtable", "other", r"pat[A-Za-z0-9]{14}\.", f"{_HEX}{{64}}"),
    Form("Aiven", "cloud", "AVNS_", f"{_WORD}{{16,40}}"),
    Form("Alibaba Cloud", "cloud", "LTAI", f"{_AN}{{12,24}}", guard=_has_digit),
    Form("Amazon", "aws", "A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA|AGPA|AROA|AIPA|ANPA|ANVA", "[A-Z0-9]{16}", guard=_is_drawn),
    Form("Amazon Bedrock", "aws", "ABSK", f"{_B64}{{60,300}}={{0,2}}"),
    Form("Amazon MWS", "aws", r"amzn\.mws\.", _UUID),
    Form("Anthropic", "openai", "sk-ant-", f"{_WORD}{{24,200}}"),
    Form("Apify", "cloud", "apify_api_", f"{_AN}{{30,40}}"),
    Form("Artifactory", "cloud", "AKCp|cmVmd|AP[0-9A-F]B", f"{_AN}{{28,80}}", guard=_has_digit),
    Form("Asana", "other", r"[0-9]{1,2}/[0-9]{16}", rf"(?:/[0-9]{{16}})?:{_HEX}{{32}}"),
    Form("Atlassian", "other", "AT[AC]TT3|ATBB|ATOA", f"{_URL64}{{20,260}}"),
    Form(
        "Authress",
        "other",
        r"(?:scauth|authress)_[a-z0-9]{5,30}\.",
        r"[a-z0-9]{4,6}\.acc[_-][a-z0-9-]{10,32}\.[A-Za-z0-9+/_=-]{30,120}",
    ),
    Form("Axiom", "other", "xa[ap]t-", _UUID),
    Form("Azure storage", "azure", r"AccountKey=", f"{_B64}{{40,88}}={{0,2}}", own_word=False),
    Form("Azure AD", "azure", "[0-9]Q~", r"[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}", back=4),
    Form(
        "Azure signed keys",
        "azure",
        r"AzFu|AzSe|AzCa|\+ASt|\+ACR|\+AMC|\+AEh|\+ARm|\+AIo|ACDb|APIM",
        rf"{_B64}{{30,76}}(?:AzFu|AzSe|AzCa|\+ASt|\+ACR|\+AMC|\+AEh|\+ARm|\+AIo|ACDb|APIM){_B64}{{5,10}}={{0,2}}",
        back=76,
    ),
    Form("Azure DevOps", "azure", "AZDO", f"{_AN}{{70,80}}AZDO{_AN}{{4}}|{_AN}{{48}}AZDO", back=80),
    Form("Azure AI", "azure", "JQQJ99", f"{_AN}{{40,60}}JQQJ99{_AN}{{20,40}}", back=60),
    Form("Azure signature", "azure", "[?&;]sig=", r"[A-Za-z0-9%+/_-]{40,90}={0,2}", own_word=False),
    Form("Bitbucket data center", "other", "BBDC-", "[A-Za-z0-9+/@_-]{40,50}"),
    Form("Braintree", "payment", r"access_token\$(?:production|sandbox)\$", rf"[0-9a-z]{{16}}\${_HEX}{{32}}"),
    Form("Brevo", "mail", "xkeysib-|xsmtpsib-", f"{_HEX}{{64}}-{_AN}{{16}}"),
    Form("Buildkite", "other", "bkua_|bkct_|bkpi_", f"{_AN}{{32,64}}"),
    Form("Cerebras", "openai", "csk-", f"{_AN}{{48}}"),
    Form("CircleCI", "other", "CCIPAT_|CCIPRJ_", f"{_AN}{{18,30}}_{_AN}{{40}}"),
    Form("ClickHouse", "cloud", "4b1d", f"{_AN}{{38}}", guard=_has_digit),
    Form("Clojars", "other", "CLOJARS_", f"{_AN}{{60}}"),
    Form("Cloudflare", "cloud", "cf(?:ut|at|k|oat)_", f"{_AN}{{40,60}}"),
    Form("Cloudflare origin CA", "cloud", r"v1\.0-", f"{_HEX}{{24}}-{_HEX}{{146}}"),
    Form("Contentful", "cloud", "CFPAT-", f"{_WORD}{{43}}"),
    Form("Crates.io", "other", "cio", f"{_AN}{{32}}"),
    Form("Databricks", "other", "dapi|dkea|dose", rf"{_HEX}{{32}}(?:-[0-9])?"),
    Form("DataStax", "cloud", "AstraCS:", rf"[A-Za-z]{{24}}:{_HEX}{{64}}"),
    Form("Defined Networking", "cloud", "dnkey-", f"{_URL64}{{26}}-{_URL64}{{52}}"),
    Form("Deno", "cloud", "dd[op]_", f"{_AN}{{36}}"),
    Form("DigitalOcean", "cloud", "do[opr]_v1_", f"{_HEX}{{64}}"),
    Form(
        "Discord",
        "discord",
        r"\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{20}",
        r"[A-Za-z0-9_-]{23,28}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}",
        back=28,
        guard=_has_digit,
    ),
    Form(
        "Discord webhook",
        "discord",
        r"discord(?:app)?\.com/api/",
        rf"(?:v[0-9]{{1,2}}/)?webhooks/[0-9]{{16,20}}/{_WORD}{{40,100}}",
        own_word=False,
    ),
    Form("Docker Hub", "other", "dckr_[po]at_", f"{_WORD}{{20,40}}"),
    Form("Doppler", "other", r"dp\.(?:pt|st|ct|sa|scim|audit|said)\.", rf"(?:[a-z0-9_-]{{2,35}}\.)?{_AN}{{40,44}}"),
    Form("Dropbox", "cloud", r"sl\.(?:u\.)?", f"{_URL64}{{80,400}}", guard=_has_digit),
    Form("Duffel", "payment", "duffel_(?:test|live)_", f"{_URL64}{{43}}"),
    Form("Dynatrace", "cloud", r"dt0[cs]0[0-9]\.", r"[A-Za-z0-9]{8,24}\.[A-Za-z0-9]{64}"),
    Form("E2B", "cloud", "e2b_", f"{_HEX}{{40}}"),
    Form("EasyPost", "payment", "EZ[AT]K", f"{_AN}{{54}}"),
    Form("ElevenLabs", "openai", "sk_", f"{_HEX}{{48}}"),
    Form("Facebook", "other", "EAA[A-Z]", f"{_AN}{{60,400}}", guard=_has_digit),
    Form("Facebook app", "other", r"[0-9]{15}(?:\||%7C)", rf"[0-9]{{15,16}}(?:\||%7C){_WORD}{{27,40}}", back=1),
    Form("Figma", "other", "figd_|figu[rh]?_", f"{_WORD}{{36,60}}"),
    Form("Firecrawl", "openai", "fc-", f"{_HEX}{{32}}"),
    Form("Fireworks", "openai", "fw_", f"{_AN}{{24}}", guard=_has_digit),
    Form("Flutterwave", "payment", "FLWSECK(?:_TEST)?-|FLWPUBK(?:_TEST)?-", "[A-Za-z0-9]{12,40}(?:-X)?"),
    Form("Fly.io", "cloud", "fo1_", f"{_WORD}{{43}}"),
    Form("Fly.io macaroon", "cloud", "fm1[ar]_|fm2_", f"{_B64}{{80,580}}={{0,3}}"),
    Form("Frame.io", "other", "fio-u-", f"{_URL64}{{64}}"),
    Form("GitHub", "github", "gh[pousr]_", r"[A-Za-z0-9_]{36,255}(?:\.[A-Za-z0-9_-]{4,300}){0,2}"),
    Form("GitHub fine-grained", "github", "github_pat_", "[A-Za-z0-9_]{22,255}"),
    Form(
        "GitLab",
        "gitlab",
        "gl(?:pat|dt|ft|soat|rt|rtr|cbt|imt|ptt|agent|oas|ffct|wt)-",
        r"[A-Za-z0-9_-]{20,300}(?:\.[a-z0-9]{2}\.?[a-z0-9]{7,9})?",
    ),
    Form("Gitlore team", "other", "glk_", "[a-z0-9]{8}_[A-Za-z0-9_-]{43}"),
    Form("GitLab runner", "gitlab", "GR1348941", f"{_WORD}{{20}}"),
    Form("GoCardless", "payment", "live_|sandbox_", f"{_WORD}{{40}}"),
    Form("Google", "google", "AIza", f"{_WORD}{{35}}"),
    Form("Google OAuth secret", "google", "GOCSPX-", f"{_WORD}{{20,40}}"),
    Form("Google access", "google", r"ya29\.", r"[A-Za-z0-9_.-]{20,550}"),
    Form("Google refresh", "google", "1//0", f"{_WORD}{{38,110}}", guard=_has_digit),
    Form("Grafana cloud", "cloud", "glc_", f"{_B64}{{32,400}}={{0,3}}"),
    Form("Grafana service account", "cloud", "glsa_", f"{_AN}{{32}}_{_ANYHEX}{{8}}"),
    Form("Grafana key", "cloud", "eyJrIjoi", f"{_B64}{{60,400}}={{0,3}}"),
    Form("Groq", "openai", "gsk_", f"{_AN}{{40,60}}"),
    Form("Harness", "other", r"(?:pat|sat)\.[A-Za-z0-9_-]{22}\.", rf"{_AN}{{24}}\.{_AN}{{20}}"),
    Form("HashiCorp Vault", "cloud", r"hv[sbr]\.", f"{_WORD}{{24,300}}"),
    Form("HashiCorp Terraform", "cloud", r"\.atlasv1\.", rf"{_AN}{{14}}\.atlasv1\.{_URL64}{{60,80}}", back=14),
    Form("Heroku", "cloud", "HRKU-", f"{_WORD}{{36,70}}"),
    Form("HubSpot", "other", "pat-(?:na|eu)[0-9]-", _UUID),
    Form("Hugging Face", "huggingface", "hf_|api_org_", f"{_AN}{{30,40}}"),
    Form(
        "IFTTT",
        "other",
        r"maker\.ifttt\.com/trigger/",
        rf"[\w-]{{1,80}}/(?:json/)?with/key/{_WORD}{{20,60}}",
        own_word=False,
    ),
    Form("Infracost", "other", "ico-", f"{_AN}{{32}}"),
    Form("Inngest", "cloud", "signkey-(?:prod|test)-", f"{_HEX}{{64}}"),
    Form("Jina", "openai", "jina_", f"{_AN}{{60}}"),
    Form("LlamaCloud", "openai", "llx-", f"{_AN}{{48}}"),
    Form("42", "other", "s-s4t2(?:ud|af)-", f"{_HEX}{{64}}"),
    Form("Portainer", "other", "ptr_", r"[A-Za-z0-9/_+=-]{40,60}"),
    Form("LangSmith", "other", "lsv2_(?:pt|sk)_|ls__", f"{_HEX}{{32}}(?:_{_HEX}{{10}})?"),
    Form("Langfuse", "other", "[sp]k-lf-", _UUID),
    Form("LaunchDarkly", "other", "(?:api|sdk|mob)-", _UUID),
    Form("Linear", "other", "lin_(?:api|oauth)_", f"{_AN}{{40,64}}"),
    Form("Lob", "payment", "(?:live|test)_(?:pub_)?", f"{_HEX}{{31,35}}"),
    Form("Mailchimp", "mail", "-us[0-9]", f"{_HEX}{{32}}-us[0-9]{{1,2}}", back=32),
    Form("Mailgun", "mail", "(?:pub)?key-", f"{_HEX}{{32}}"),
    Form("Mailgun signing", "mail", "-[a-h0-9]{8}-[a-h0-9]{8}", "[a-h0-9]{32}-[a-h0-9]{8}-[a-h0-9]{8}", back=32),
    Form("Mapbox", "other", r"[sp]k\.eyJ", rf"{_WORD}{{30,200}}\.{_WORD}{{20,30}}"),
    Form("MaxMind", "other", "_mmk", f"{_AN}{{6}}_{_AN}{{29}}_mmk", back=36),
    Form("Mercado Pago", "payment", "APP_USR-|TEST-", rf"[0-9]{{13,17}}-[0-9]{{6}}-{_HEX}{{32}}-[0-9]{{6,10}}"),
    Form("Microsoft Teams", "other", r"\.office\.com/webhook", r"(?:b2)?/[A-Za-z0-9/@-]{40,250}", own_word=False),
    Form(
        "hashed password",
        "password",
        r"\$apr1\$",
        r"[./A-Za-z0-9]{1,8}\$[./A-Za-z0-9]{22}",
        guard=anything,
        own_word=False,
    ),
    Form(
        "hashed password, bcrypt",
        "password",
        r"\$2[abxy]\$[0-9]{2}\$",
        "[./A-Za-z0-9]{53}",
        guard=anything,
        own_word=False,
    ),
    Form(
        "hashed password, crypt",
        "password",
        r"\$[1567y]\$",
        r"(?:[a-z0-9=,]{1,20}\$)?[./A-Za-z0-9]{1,24}\$[./A-Za-z0-9]{22,86}",
        guard=anything,
        own_word=False,
    ),
    Form("hashed password, SHA-1", "password", r"\{S?SHA\}", f"{_B64}{{27,48}}={{0,2}}", own_word=False),
    Form("OpenRouter", "openai", "sk-or-v1-", f"{_HEX}{{64}}"),
    Form("Neon", "cloud", "napi_", f"{_AN}{{64}}"),
    Form("Netlify", "cloud", "nf[pcoub]_", f"{_AN}{{36,40}}"),
    Form("New Relic", "other", "NR(?:AK|II|IQ|BR|JS|AL)-", r"[A-Za-z0-9_-]{19,40}"),
    Form("Notion", "other", "ntn_|secret_", f"{_AN}{{43,50}}"),
    Form("npm", "npm", "npm_", f"{_AN}{{36}}"),
    Form("NuGet", "other", "oy2", "[a-z0-9]{43}"),
    Form("NVIDIA", "openai", "nvapi-", f"{_WORD}{{60,70}}"),
    Form("Octopus Deploy", "other", "API-", "[A-Z0-9]{26,32}"),
    Form("Okta", "other", "SSWS ", f"00{_WORD}{{40}}"),
    Form("OpenAI", "openai", "sk-(?:proj-|svcacct-|admin-|None-)?", f"{_WORD}{{32,220}}"),
    Form("OpenShift", "cloud", "sha256~", f"{_WORD}{{43}}"),
    Form("age", "private_key", "AGE-SECRET-KEY-1", "[0-9A-Z]{50,60}"),
    Form("PayPal", "payment", "access_token.production.", f"{_AN}{{60,90}}"),
    Form("Perplexity", "openai", "pplx-", f"{_AN}{{40,60}}"),
    Form("Pinecone", "cloud", "pcsk_", f"{_AN}{{5,6}}_{_AN}{{60,66}}"),
    Form("Plaid", "payment", "access-(?:sandbox|development|production)-", _UUID),
    Form("PlanetScale", "cloud", "pscale_(?:tkn|oauth|pw)_", r"[A-Za-z0-9_=.-]{32,64}"),
    Form("PostHog", "other", "ph[xcsra]_", f"{_AN}{{40,48}}"),
    Form("Postman", "other", "PMA[KT]-", f"{_AN}{{24,26}}(?:-{_HEX}{{34}})?"),
    Form("Prefect", "other", "pn[ub]_", f"{_AN}{{36}}"),
    Form("PubNub", "other", "(?:sec|sub|pub)-c-", f"(?:{_UUID}|{_B64}{{48}})"),
    Form("Pulumi", "cloud", "pul-", f"{_HEX}{{40}}"),
    Form("PyPI", "pypi", "pypi-AgE", f"{_WORD}{{50,500}}"),
    Form("Razorpay", "payment", "rzp_(?:live|test)_", f"{_AN}{{14}}"),
    Form("ReadMe", "other", "rdme_", "[a-z0-9]{70}"),
    Form("Render", "cloud", "rnd_", f"{_AN}{{28,40}}"),
    Form("Replicate", "openai", "r8_", f"{_WORD}{{37}}"),
    Form("Resend", "mail", f"re_{_AN}{{8}}_", f"{_AN}{{20,28}}"),
    Form("Rootly", "other", "rootly_", f"{_HEX}{{64}}"),
    Form("RubyGems", "other", "rubygems_", f"{_HEX}{{48}}"),
    Form("Scaleway", "cloud", "SCW", "[A-Z0-9]{17}", guard=_has_digit),
    Form("Scalingo", "cloud", "tk-us-", f"{_WORD}{{48}}"),
    Form("Segment", "other", "sgp_", f"(?:{_AN}{{60,70}}|(?:local_|{_ANYHEX}{{16}}_)?{_ANYHEX}{{40}})"),
    Form("SendGrid", "mail", r"SG\.", rf"{_WORD}{{16,32}}\.{_WORD}{{16,64}}"),
    Form("Sentry", "other", "sntrys_", r"[A-Za-z0-9+/=_-]{60,400}"),
    Form("Sentry user", "other", "sntryu_", f"{_HEX}{{64}}"),
    Form("SettleMint", "other", "sm_[aps]at_", f"{_AN}{{16}}"),
    Form("Shippo", "payment", "shippo_(?:live|test)_", f"{_ANYHEX}{{40}}"),
    Form("Shopify", "payment", "shp(?:at|ca|pa|ss|ua|tka)_", f"{_ANYHEX}{{32}}"),
    Form("Slack", "slack", r"xox[abposrce](?:\.xox[bp])?-", "[A-Za-z0-9-]{10,250}"),
    Form("Slack app", "slack", "xapp-[0-9]-", "[A-Za-z0-9-]{10,160}"),
    Form(
        "Slack webhook",
        "slack",
        r"hooks\.slack(?:-gov)?\.com/",
        r"(?:services|workflows|triggers)/[A-Za-z0-9+/]{30,90}",
        own_word=False,
    ),
    Form("Snyk", "other", r"snyk_(?:uat|sat)\.", r"[A-Za-z0-9_.-]{30,160}"),
    Form("SonarQube", "other", "sq[upa]_", f"{_HEX}{{40}}"),
    Form("Square", "payment", "EAAA|sq0(?:atp|csp|idp)-", f"{_WORD}{{22,64}}", guard=_has_digit),
    Form("Stytch", "other", "secret-(?:live|test)-", f"{_URL64}{{36}}"),
    Form("Stripe", "payment", "[srp]k_(?:live|test|prod)_", f"{_AN}{{10,250}}"),
    Form("Stripe webhook", "payment", "whsec_", r"[A-Za-z0-9+/=]{24,80}"),
    Form("Stripe payment secret", "payment", "(?:pi|seti)_[A-Za-z0-9]{24}_secret_", f"{_AN}{{24,30}}"),
    Form("Supabase", "cloud", "sb_secret_|sb_publishable_", f"{_WORD}{{24,60}}"),
    Form("Supabase access", "cloud", "sbp_(?:oauth_|v0_)?", f"{_HEX}{{40}}"),
    Form("Tailscale", "cloud", r"tskey-[a-z]{3,12}-", f"{_AN}{{8,20}}(?:CNTRL)?-{_AN}{{16,60}}"),
    Form("Tavily", "openai", "tvly-", f"(?:dev-|prod-)?{_WORD}{{28,60}}"),
    Form(
        "Telegram",
        "telegram",
        "[0-9]{5}:[A-Za-z0-9_-]{30}",
        r"[0-9]{5,16}:[A-Za-z0-9_-]{35}",
        back=11,
        guard=_has_digit,
    ),
    Form("Telegram in a URL", "telegram", "/bot[0-9]{5,16}:", f"{_WORD}{{35}}", guard=_has_digit, own_word=False),
    Form("Tencent Cloud", "cloud", "AKID", f"{_AN}{{28,32}}", guard=_has_digit),
    Form("Together", "openai", "tgp_v1_", f"{_WORD}{{43}}"),
    Form("Twilio", "twilio", "AC|SK", f"{_HEX}{{32}}"),
    Form("Twitter bearer", "other", "AAAAAAAAAAAAAAAAAAAAA", "[A-Za-z0-9%]{30,120}", own_word=False),
    Form("Typeform", "other", "tfp_", r"[A-Za-z0-9_.-]{40,62}"),
    Form("Vercel", "cloud", "vc[pkiar]_|vercel_blob_rw_", r"[A-Za-z0-9_]{24,60}"),
    Form("Volcano Engine", "cloud", "AKLT", f"{_AN}{{30,60}}"),
    Form("Weights & Biases", "other", "wandb_v1_", f"{_WORD}{{40,90}}"),
    Form("WakaTime", "other", "waka_", _UUID),
    Form("xAI", "openai", "xai-", f"{_WORD}{{60,90}}"),
    Form("Yandex", "cloud", "y[0-3]_", f"{_WORD}{{50,60}}"),
    Form("Yandex IAM", "cloud", r"t1\.", rf"{_URL64}{{20,300}}\.{_URL64}{{80,90}}"),
    Form("Yandex key", "cloud", "AQVN|YC[AN]J", f"{_WORD}{{35,40}}"),
    Form(
        "Zapier webhook", "other", r"hooks\.zapier\.com/hooks/", r"catch/[0-9]{4,10}/[A-Za-z0-9]{5,12}", own_word=False
    ),
    Form("Zuplo", "other", "zpka_", f"{_AN}{{32}}_{_HEX}{{8}}"),
)

RULES = tuple(form.rule for form in FORMS)
