"""Redis over TLS: certificates are checked, and asked for where the server wants one."""

from __future__ import annotations

import datetime
import ipaddress
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sharedctx
from sharedctx.backends.redis import RedisBackend
from sharedctx.backends.redis.local import LocalServer, free_port
from sharedctx.errors import BackendUnavailable

pytest.importorskip("redis", reason="redis is not installed: pip install 'sharedctx[redis]'")
x509 = pytest.importorskip("cryptography.x509", reason="cryptography is not installed: pip install -e '.[dev]'")


def certificate(folder: Path, name: str) -> dict[str, Path]:
    """A key and a certificate for 127.0.0.1 that is its own authority."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    title = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(title, title, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    files = {"cert": folder / f"{name}.pem", "key": folder / f"{name}.key"}
    files["cert"].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files["key"].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A server that speaks TLS on one port and plainly on another, and wants a certificate of its clients."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("no redis-server with TLS is installed: apt-get install redis-server")
    folder = tmp_path_factory.mktemp("tls")
    files, tls, plain = certificate(folder, "server"), free_port(), free_port()
    words = {
        "tls-port": tls,
        "tls-cert-file": files["cert"],
        "tls-key-file": files["key"],
        "tls-ca-cert-file": files["cert"],
        "tls-auth-clients": "yes",
    }
    server = LocalServer(folder / "server")
    options = tuple(part for name, word in words.items() for part in (f"--{name}", str(word)))
    server.start(plain, program=Path(program), options=options)
    try:
        yield {"tls": tls, "plain": plain, "folder": folder, **files}
    finally:
        server.stop()


def test_a_store_works_over_tls_with_a_certificate_of_its_client(secured: dict[str, Any]) -> None:
    ours = f"ssl_ca_certs={secured['cert']}&ssl_certfile={secured['cert']}&ssl_keyfile={secured['key']}"
    with sharedctx.open(f"rediss://127.0.0.1:{secured['tls']}?{ours}&health_check_interval=30") as store:
        ctx = store.session("s")
        start = ctx.rev()
        ctx.put("k", "x" * 100_000)
        assert ctx.get("k", full=True) == "x" * 100_000
        assert [event.key for event in ctx.watch(start, timeout=0.0)] == ["k"]
        assert store.doctor() == []
    with sharedctx.open(f"redis://127.0.0.1:{secured['plain']}") as store:
        assert store.session("s").get("k", full=True) == "x" * 100_000


def test_a_certificate_of_an_unknown_authority_is_refused_and_told(secured: dict[str, Any]) -> None:
    other = certificate(secured["folder"], "other")["cert"]
    for options in ("", f"?ssl_ca_certs={other}", f"?ssl_ca_certs={other}&ssl_check_hostname=false"):
        with pytest.raises(BackendUnavailable, match="ssl_ca_certs"):
            RedisBackend(f"rediss://127.0.0.1:{secured['tls']}{options}")


def test_a_client_without_the_certificate_that_the_server_wants_is_refused(secured: dict[str, Any]) -> None:
    with pytest.raises(BackendUnavailable):
        RedisBackend(f"rediss://127.0.0.1:{secured['tls']}?ssl_ca_certs={secured['cert']}")


def test_a_port_without_tls_is_told(secured: dict[str, Any]) -> None:
    with pytest.raises(BackendUnavailable, match="speak TLS"):
        RedisBackend(f"rediss://127.0.0.1:{secured['plain']}?ssl_ca_certs={secured['cert']}&timeout=0.2")
    with pytest.raises(BackendUnavailable, match="rediss"):
        RedisBackend(f"redis://127.0.0.1:{secured['tls']}")
