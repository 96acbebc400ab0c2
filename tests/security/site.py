"""A website on this machine that answers byte by byte what a test scripts, with or without TLS."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PUBLIC = "93.184.216.34"

Answer = bytes | Callable[[socket.socket], None]


@dataclass
class Site:
    """Answers by path. `asked` holds the first line and headers of every request, `names` the TLS names."""

    answers: Mapping[str, Answer]
    tls: ssl.SSLContext | None = None
    asked: list[str] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    dialled: list[tuple[str, int]] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        if self.tls:
            self.tls.sni_callback = lambda _line, name, _context: self.names.append(name)
        threading.Thread(target=self._open, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._door.close()

    def dial(self, address: str, port: int, seconds: float) -> socket.socket:
        """Where a visit believes itself to be, and where it is."""
        self.dialled.append((address, port))
        return socket.create_connection(("127.0.0.1", self.port), timeout=seconds)

    def _open(self) -> None:
        while True:
            try:
                line, _ = self._door.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        try:
            with self.tls.wrap_socket(line, server_side=True) if self.tls else line as speaking:
                text = b""
                while b"\r\n\r\n" not in text:
                    text += speaking.recv(65_536)
                self.asked.append(text.decode())
                answer = self.answers[text.split(b" ")[1].decode()]
                if callable(answer):
                    answer(speaking)
                else:
                    speaking.sendall(answer)
        except (OSError, KeyError):
            return


def page(
    body: bytes = b"<p>hello</p>", *headers: str, status: str = "200 OK", kind: str = "text/html"
) -> bytes:
    length = (
        ()
        if any(h.lower().startswith(("content-length", "transfer-")) for h in headers)
        else (f"Content-Length: {len(body)}",)
    )
    lines = (f"HTTP/1.1 {status}", f"Content-Type: {kind}", *length, *headers, "", "")
    return "\r\n".join(lines).encode() + body


def moved(to: str, status: str = "302 Found") -> bytes:
    return page(b"", f"Location: {to}", status=status)


def dripping(start: bytes, drop: bytes = b"x", seconds: float = 0.02) -> Callable[[socket.socket], None]:
    """Something, then a little every now and then, for as long as anybody listens."""

    def answer(line: socket.socket) -> None:
        line.sendall(start)
        for _ in range(1_000):
            line.sendall(drop)
            time.sleep(seconds)

    return answer


def certified(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The TLS of a site with this name, and of a visitor who trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(certificate.public_bytes(pem) + private)
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(file)
    ours = ssl.create_default_context(cadata=certificate.public_bytes(pem).decode())
    return theirs, ours
