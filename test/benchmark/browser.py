"""A page in headless Chromium that a benchmark commands: pages ask for work over HTTP."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

FLAGS = (
    '--headless', '--no-sandbox', '--no-first-run', '--disable-quic', '--disable-sync',
    '--disable-background-networking', '--disable-component-update', '--mute-audio',
    '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist',
    '--disable-background-timer-throttling', '--disable-renderer-backgrounding',
)  # fmt: skip
"""No network but loopback; WebGL drawn by SwiftShader on the CPU; timers at full rate."""
TYPES = {'.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript'}
POLL_S = 5.0


class PageError(RuntimeError):
    """The page did not answer, or answered with an error of its own."""


class Page:
    """Chromium on one page, used as a context manager.

    The page gets `/next` for its next command and posts its reply to `/answer`; raw bytes are
    posted to `/picture`.
    """

    def __init__(
        self, chromium: str, profile: Path, roots: Mapping[str, Path], start: str
    ) -> None:
        """Say what is served.

        Args:
            chromium: the browser's program.
            profile: an empty folder for its settings.
            roots: first part of a path (with slashes) -> folder or file.
            start: path of the page.
        """
        self._commands: queue.Queue[dict[str, object]] = queue.Queue()
        self._answers: queue.Queue[dict[str, object]] = queue.Queue()
        self._pictures: queue.Queue[bytes] = queue.Queue()
        self._roots = dict(roots)
        self._server = ThreadingHTTPServer(('127.0.0.1', 0), self._handler())
        address = f'http://127.0.0.1:{self._server.server_port}{start}'
        self._command = [chromium, *FLAGS, f'--user-data-dir={profile}', address]
        self._browser: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Page:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self._browser = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._browser is not None:
            self._browser.terminate()
            try:
                self._browser.wait(10.0)
            except subprocess.TimeoutExpired:
                self._browser.kill()
        self._server.shutdown()
        self._server.server_close()

    def call(self, command: str, timeout: float = 300.0, **values: object) -> dict[str, object]:
        """Have the page carry out a command and return its answer.

        Raises:
            PageError: it failed, or took longer than `timeout` seconds.
        """
        self._commands.put({'do': command, **values})
        try:
            answer = self._answers.get(timeout=timeout)
        except queue.Empty:
            raise PageError(f'{command}: the page must answer in {timeout} s') from None
        if 'error' in answer:
            raise PageError(f'{command}: {answer["error"]}')
        return answer

    def picture(self, timeout: float = 60.0) -> bytes:
        """Return the bytes that the page posted last to `/picture`."""
        return self._pictures.get(timeout=timeout)

    def _file(self, path: str) -> Path | None:
        """Return the file behind a path, or None."""
        for prefix, root in self._roots.items():
            if path.startswith(prefix):
                file = (root / path[len(prefix) :]).resolve() if root.is_dir() else root
                if file.is_file() and (file == root or root.resolve() in file.parents):
                    return file
        return None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        """Return a handler class bound to this page."""
        page = self

        class Handler(BaseHTTPRequestHandler):
            """Serves files and passes commands and answers."""

            protocol_version = 'HTTP/1.1'

            def log_request(self, code: int | str = '-', size: int | str = '-') -> None:
                """Stay silent."""

            def _send(self, data: bytes, kind: str, status: int = 200) -> None:
                self.send_response(status)
                self.send_header('Content-Type', kind)
                self.send_header('Content-Length', str(len(data)))
                # Isolated pages get clocks of 5 us instead of 100 us, and shared memory.
                self.send_header('Cross-Origin-Opener-Policy', 'same-origin')
                self.send_header('Cross-Origin-Embedder-Policy', 'require-corp')
                self.end_headers()
                # A browser that is being closed no longer takes its answer.
                with contextlib.suppress(ConnectionError):
                    self.wfile.write(data)

            def do_GET(self) -> None:
                """Answer with the next command or a file."""
                path = self.path.partition('?')[0]
                if path == '/next':
                    try:
                        command = page._commands.get(timeout=POLL_S)
                    except queue.Empty:
                        command = {'do': 'wait'}
                    self._send(json.dumps(command).encode(), 'application/json')
                    return
                file = page._file(path)
                if file is None:
                    self._send(b'no such file', 'text/plain', 404)
                    return
                kind = TYPES.get(file.suffix, 'application/octet-stream')
                self._send(file.read_bytes(), kind)

            def do_POST(self) -> None:
                """Take an answer or a picture."""
                body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
                if self.path == '/picture':
                    page._pictures.put(body)
                else:
                    page._answers.put(json.loads(body))
                self._send(b'', 'text/plain')

        return Handler
