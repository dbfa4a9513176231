"""A server that does what it is asked, writes it down, and then answers as badly as it is told to."""

import json
import socket
import struct
import threading
from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """What goes wrong after the request was carried out."""

    ERROR_503 = "503"
    TIMEOUT = "timeout"
    RESET = "reset"
    CLOSE = "clean close"
    TRUNCATED = "truncated"
    CUT = "cut without a length"  # half of the JSON, ended by closing
    GARBAGE = "garbage"
    EMPTY = "empty"
    NO_HTTP = "no http at all"
    REDIRECT = "redirect"
    ELSE = "json of another kind"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Misbehaving:
    """On loopback, one thread a connection. GETs and writes have answers of their own; ``fault`` spoils either."""

    def __init__(self) -> None:
        self.fault: Fault | None = None
        self.spoils_reads = False
        self.read_answer: object = {}
        self.answers: list[tuple[int, dict[str, str], object]] = []  # status, headers, JSON: said before all else
        self.seen: list[Seen] = []
        self.asked = threading.Event()  # set by the first request
        self.go_on = threading.Event()  # cleared: answers are held back
        self.go_on.set()
        self._stop = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def commits(self) -> list[Seen]:
        return [one for one in self.seen if one.method != "GET"]

    def close(self) -> None:
        self._stop.set()
        self._listener.close()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            while (request := _read(stream)) is not None:
                self.seen.append(request)
                self.asked.set()
                self.go_on.wait(5)
                if not self._answer(connection, request):
                    return

    def _answer(self, connection: socket.socket, request: Seen) -> bool:
        """False: the connection is done with."""
        if self.answers:
            status, headers, body = self.answers.pop(0)
            connection.sendall(_http(status, json.dumps(body).encode(), headers))
            return True
        read = request.method == "GET"
        if self.fault is not None and (self.spoils_reads or not read):
            return self._misbehave(connection, self.fault)
        body = self.read_answer if read else {"id": "made", "snapshot_id": "new"}
        connection.sendall(_http(200, json.dumps(body).encode()))
        return True

    def _misbehave(self, connection: socket.socket, fault: Fault) -> bool:
        body = json.dumps({"id": "made", "snapshot_id": "new", "padding": "x" * 400}).encode()
        match fault:
            case Fault.ERROR_503:
                connection.sendall(_http(503, b'{"error": {"status": 503}}'))
                return True
            case Fault.TIMEOUT:
                self._stop.wait(5)
            case Fault.RESET:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            case Fault.CLOSE:
                connection.shutdown(socket.SHUT_RDWR)
            case Fault.TRUNCATED:
                connection.sendall(_http(200, body)[:-300])
            case Fault.CUT:
                connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body[:60])
            case Fault.GARBAGE:
                connection.sendall(_http(200, b"<html>It works!</html>"))
            case Fault.EMPTY:
                connection.sendall(_http(200, b""))
            case Fault.NO_HTTP:
                connection.sendall(b"SSH-2.0-OpenSSH_9.9\r\n")
            case Fault.REDIRECT:
                connection.sendall(_http(307, b"{}", {"Location": f"{self.url}/elsewhere"}))
                return True
            case Fault.ELSE:
                connection.sendall(_http(200, b'["fine"]'))
        return False


def _http(status: int, body: bytes, headers: dict[str, str] | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _read(stream: socket.SocketIO) -> Seen | None:
    try:
        first = stream.readline().decode()
        if not first.strip():
            return None
        headers: dict[str, str] = {}
        while (line := stream.readline().decode().strip()) != "":
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        body = stream.read(int(headers.get("content-length", "0")))
    except OSError:
        return None
    method, path, _ = first.split(" ", 2)
    return Seen(method=method, path=path, headers=headers, body=body)
