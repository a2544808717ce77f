"""A web server of this test's own that can resume, break off and refuse."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Shelf:
    """Files by path, and what was asked for.

    Attributes:
        files: Content by path.
        breaks_at: Bytes after which answers break off; None: never.
        resumes: Whether range requests are obeyed.
        asked: Path and range of every request.
    """

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.breaks_at: int | None = None
        self.resumes = True
        self.asked: list[tuple[str, str | None]] = []
        self.url = ""


@contextmanager
def served(files: dict[str, bytes]) -> Iterator[Shelf]:
    """Serve files on a free port of this machine."""
    shelf = Shelf(files)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            shelf.asked.append((self.path, wanted))
            content = shelf.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            start = int(wanted[6:-1]) if wanted and shelf.resumes else 0
            if start >= len(content):
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            self.wfile.write(content[start : shelf.breaks_at])

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    shelf.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield shelf
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
