"""A TCP proxy before a server, which holds questions back when it is told to."""

import contextlib
import socket
import threading
from collections.abc import Iterator


class Proxy:
    """Passes everything on until `stall`; a connection that saw a stall stays dead."""

    def __init__(self, server: int) -> None:
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._stalled, self._closed = threading.Event(), threading.Event()
        self._sockets: list[socket.socket] = []
        self.port: int = self._listener.getsockname()[1]
        self._start(self._accept)

    def stall(self) -> None:
        self._stalled.set()

    def go_on(self) -> None:
        self._stalled.clear()

    def close(self) -> None:
        self._closed.set()
        self._end(self._listener, *self._sockets)

    def _end(self, *sockets: socket.socket) -> None:
        for sock in sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _start(self, work, *arguments) -> None:
        threading.Thread(target=work, args=arguments, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._sockets.append(client)
                server = socket.create_connection(("127.0.0.1", self._server))
                self._sockets.append(server)
                if self._closed.is_set():  # it may not have seen these two
                    self._end(client, server)
                self._start(self._pass_on, client, server, self._stalled)
                self._start(self._pass_on, server, client, threading.Event())

    def _pass_on(self, source: socket.socket, sink: socket.socket, held: threading.Event) -> None:
        dead = False
        with contextlib.suppress(OSError):
            while chunk := source.recv(65536):
                dead = dead or held.is_set()
                if not dead:
                    sink.sendall(chunk)
            sink.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def before(server: int) -> Iterator[Proxy]:
    proxy = Proxy(server)
    try:
        yield proxy
    finally:
        proxy.close()
