"""The files of the page, with headers that keep everything else out."""

from __future__ import annotations

from http import HTTPStatus
from importlib.resources import files

from websockets.datastructures import Headers
from websockets.http11 import Response

SCRIPTS = ('teleop', 'input', 'panel', 'reasons', 'rtc', 'screen', 'study')
FILES = {
    '/': ('index.html', 'text/html; charset=utf-8'),
    **{f'/{name}.js': (f'{name}.js', 'text/javascript; charset=utf-8') for name in SCRIPTS},
    '/study.css': ('study.css', 'text/css; charset=utf-8'),
    '/teleop.css': ('teleop.css', 'text/css; charset=utf-8'),
}


def respond(path: str, host: str, secure: bool) -> Response:
    """Answer a request for a file.

    Args:
        path: Path of the request, without a query.
        host: Checked Host header.
        secure: Whether the connection has TLS.
    """
    if path not in FILES:
        return refuse(HTTPStatus.NOT_FOUND, 'not found')
    name, kind = FILES[path]
    body = (files('s2e_teleop') / 'page' / name).read_bytes()
    socket = f'{"wss" if secure else "ws"}://{host}'
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        f"connect-src 'self' {socket}; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    return _response(HTTPStatus.OK, kind, body, {'Content-Security-Policy': policy})


def refuse(status: HTTPStatus, text: str) -> Response:
    """Answer with a plain error."""
    return _response(status, 'text/plain; charset=utf-8', f'{text}\n'.encode(), {})


def _response(status: HTTPStatus, kind: str, body: bytes, more: dict[str, str]) -> Response:
    headers = Headers({
        'Content-Type': kind, 'Content-Length': str(len(body)), 'Cache-Control': 'no-store',
        'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer',
        'Connection': 'close', **more,
    })
    return Response(status.value, status.phrase, headers, body)
