"""Private keys: whole ones, parts of them, and what of them a change shows."""

from __future__ import annotations

from collections.abc import Iterator

from core.text.secrets.patterns import Pattern, Span, shown
from core.text.secrets.secret import Secret

_MOST_KEY = 32_768
_NAME = r"(?:[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?|OpenVPN Static key V1) ?-{4,5}"
_BETWEEN = r"(?:\\{1,4}[nrt]|[\\\s\"'`,+;()&-])"
_BEGIN = Pattern(rf"-{{4,5}} ?BEGIN {_NAME}")
_HEADERS = Pattern(rf"(?:{_BETWEEN}*[A-Za-z-]{{3,20}}: [^\n\\]{{1,120}}){{0,4}}")
_BODY = Pattern(rf"(?:{_BETWEEN}*[A-Za-z0-9+/]{{20,}}={{0,2}})+")
_END = Pattern(
    rf"{_BETWEEN}*[A-Za-z0-9+/]{{0,76}}={{0,2}}{_BETWEEN}*(?:=[A-Za-z0-9+/]{{4}}{_BETWEEN}*)?-{{4,5}} ?END {_NAME}"
)
_START = r"(?:@@[^@\n]{1,60}@@ )?[+ -]{0,3}[ \t]*[\"'`]?"  # in a patch, git repeats a line behind @@
_LINE_ENDS = r"={0,2}(?:\\n)?[\"'`]?[,;+ \t\\]*(?:\r?\n|\z)"
_FULL_LINES = Pattern(rf"(?m)^{_START}(?:[A-Za-z0-9+/]{{64}}|[A-Za-z0-9+/]{{70}}){_LINE_ENDS}")
_LAST_LINE = Pattern(rf"{_START}[A-Za-z0-9+/]{{2,70}}{_LINE_ENDS}")
_PUBLIC_BEFORE = (b"CERTIFICATE", b"PUBLIC KEY", b"BEGIN PGP", b"SIGNATURE", b"BEGIN DH", b"BEGIN X509", b"BEGIN CMS")
_KINDS_OF_LETTERS = (Pattern("[A-Z]"), Pattern("[a-z]"), Pattern("[0-9]"))


class WholeKeys:
    """From the first line of a key to its last, or as far as it goes."""

    anchor = "PRIVATE KEY|BEGIN OpenVPN Static key"

    def find(self, data: bytes) -> Iterator[Secret]:
        """Those in a text, as `searched` makes it."""
        done = 0
        for start, end in _BEGIN.each(data):
            if start < done:
                continue
            stop = data.find(b"----", end, end + _MOST_KEY)
            stop = stop if stop >= 0 else min(end + _MOST_KEY, len(data))
            headers = _HEADERS.at(data, end, stop) or (end, end)
            body = _BODY.at(data, headers[1], stop)
            if body is None:
                continue
            last = _END.at(data, body[1], min(body[1] + 400, len(data)))
            done = last[1] if last else body[1]
            yield Secret(start, done, "private_key")


class KeyLines:
    """Lines as keys have them, without the first one: a part of a key."""

    anchor = "[A-Za-z0-9+/]{60}"

    def find(self, data: bytes) -> Iterator[Secret]:
        """Those in a text, as `searched` makes it."""
        run: Span | None = None
        for span in _FULL_LINES.each(data):
            if run and span[0] == run[1]:
                run = run[0], span[1]
                continue
            if run:
                yield from self._block(data, run)
            run = span
        if run:
            yield from self._block(data, run)

    @staticmethod
    def _block(data: bytes, run: Span) -> Iterator[Secret]:
        first = shown(data, (run[0], min(run[0] + 200, run[1])))
        before = data[max(run[0] - 120, 0) : run[0]]
        if any(word in before for word in _PUBLIC_BEFORE) or not all(kind.fits(first) for kind in _KINDS_OF_LETTERS):
            return
        if is_other_data(first):
            return
        last = _LAST_LINE.at(data, run[1], min(run[1] + 120, len(data)))
        yield Secret(run[0], last[1] if last and data[run[1] - 1] == ord("\n") else run[1], "private_key")


def is_other_data(base64: str) -> bool:
    """True for base64 that begins like a certificate, a public key, an image, a font, a document or an archive."""
    value = base64.lstrip("+- \t\"'`")
    return value.startswith(_HEADS) or _PUBLIC.fits(value)


_PUBLIC = Pattern(
    "^MII..[DTjz]CC|^MI(?:GfMA0|I[BC]IjAN|IBCg|ICCg)"
    "|IBCgKCAQEA|ggEKAoIBAQ|CCAQoCggEBA|ICCgKCAgEA|ggIKAoICAQ|CCAgoCggIBA"
)
"""How certificates, requests for them and public keys begin; and, at any place, how a public key of RSA does."""
_HEADS = (
    "iVBOR",
    "/9j/",
    "R0lGOD",
    "UklGR",
    "Qk0",
    "PHN2",
    "PD94",
    "d09G",
    "AAEAAA",
    "JVBER",
    "UEsDB",
    "H4sI",
    "AAABAA",
    "T2dnU",
)
"""How PNG, JPEG, GIF, WebP, BMP, SVG, XML, fonts, PDF, zip, gzip, icons and Ogg begin."""
