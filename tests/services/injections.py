"""Texts that would do harm where a page took them for HTML, and all that its own HTML consists of."""

INJECTIONS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    '" autofocus onfocus="alert(1)',
    "</pre><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "<a href=javascript:alert(1)>x</a>",
    "`</code><script>alert(1)</script>`",
    "[x](javascript:alert(1))",
    "<iframe src=//evil.example></iframe>",
    "<style>*{display:none}</style>",
    '<div hx-get="/evil" hx-trigger="load">x</div>',
    "<div sse-connect=/evil sse-swap=x>x</div>",
    "{{ 7 * 7 }}{% raw %}",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
    "<base href=//evil.example>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<!--<script>alert(1)//-->",
    "\u202e<script>\u2066alert(1)",
)

OURS = frozenset({
    "html", "head", "meta", "title", "link", "script", "body", "header", "main", "section", "h1", "h2", "p", "a",
    "ul", "ol", "li", "div", "form", "input", "button", "kbd", "code", "pre", "span", "details", "summary", "table",
    "thead", "tbody", "tr", "th", "td", "strong", "nav",
})  # fmt: skip
"""Elements."""
ATTRIBUTES = frozenset({
    "lang", "charset", "name", "content", "rel", "href", "src", "defer", "class", "id", "role", "method", "action",
    "type", "value", "maxlength", "required", "autocomplete", "aria-label", "aria-live", "placeholder", "autofocus",
    "tabindex", "title", "scope", "aria-current", "aria-pressed", "data-back", "data-own", "hx-post", "hx-get",
    "hx-target", "hx-swap", "hx-ext", "hx-trigger", "hx-disabled-elt", "hx-swap-oob", "sse-connect", "sse-swap",
    "sse-close",
})  # fmt: skip
