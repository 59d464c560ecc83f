"""`ca_file`: a collector behind a certificate that a private authority signed."""

import ssl
import subprocess
from pathlib import Path

import pytest
from recorder import recording

import surehook
from surehook import testing


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Path:
    """A folder with `authority.pem`, and the `key.pem` and `certificate.pem` of 127.0.0.1 that it signed."""
    folder = tmp_path_factory.mktemp("authority")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    new = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2")
    openssl(*new, "-keyout", "ca.pem", "-out", "authority.pem", "-subj", "/CN=Tests")
    openssl(*new, "-keyout", "other.pem", "-out", "another.pem", "-subj", "/CN=Others")
    named = ("-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE")
    signed = ("-CA", "authority.pem", "-CAkey", "ca.pem")
    openssl(*new, *signed, *named, "-keyout", "key.pem", "-out", "certificate.pem", "-subj", "/CN=collector")
    return folder


@pytest.mark.parametrize(("file", "arrive"), [("authority.pem", 3), ("another.pem", 0), (None, 0)])
def test_only_a_certificate_of_a_trusted_authority_gets_attempts(authority, file, arrive):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority / "certificate.pem", authority / "key.pem")
    with recording() as recorder:
        recorder.socket = context.wrap_socket(recorder.socket, server_side=True)
        surehook.init(
            "shk_test",
            f"https://127.0.0.1:{recorder.server_address[1]}",
            ca_file=file and authority / file,
        )
        try:
            secret = testing.secret("clerk")
            endpoint = surehook.Endpoint(provider="clerk", signature_secret=secret, name="private")
            for _ in range(3):
                request = testing.signed("clerk", {"type": "user.created"}, secret=secret)
                headers = [(name.encode(), value.encode()) for name, value in request.headers.items()]
                delivery = endpoint.begin(method="POST", path="/", headers=headers, body=request.body)
                delivery.finish(status=200, headers=[], body=b"")
            assert surehook.flush(5 if arrive else 0.5) == bool(arrive)
            assert len(recorder.attempts) == arrive
        finally:
            surehook.shutdown(0)
            surehook.init(api_key="")
