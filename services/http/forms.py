"""Forms of pages."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.requests import Request

from services.http.errors import RefusedError

MOST_FIELDS = 50


async def fields_of(request: Request) -> dict[str, str]:
    """The fields of a form. The length of a body is bounded before it arrives here. Raises 422 for too many."""
    body = (await request.body()).decode("utf-8", "replace")
    try:
        return dict(parse_qsl(body, keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise RefusedError(422, f"a form has at most {MOST_FIELDS} fields") from None
