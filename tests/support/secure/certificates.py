"""An authority of the test, certificates from it, and another authority that nobody trusts."""

from pathlib import Path

import trustme
from cryptography.hazmat.primitives import serialization


class Certificates:
    """`ca`, `server`, `client`, `wrong_ca`, `wrong_client`: PEM files in `directory`. `server`
    bears 127.0.0.1 and not localhost. It and the clients begin with their private key (PKCS#8)."""

    def __init__(self, directory: Path) -> None:
        authority, stranger = trustme.CA(), trustme.CA()
        self.ca = directory / "ca.pem"
        self.wrong_ca = directory / "wrong_ca.pem"
        self.server = directory / "server.pem"
        self.client = directory / "client.pem"
        self.wrong_client = directory / "wrong_client.pem"
        authority.cert_pem.write_to_path(self.ca)
        stranger.cert_pem.write_to_path(self.wrong_ca)
        server = authority.issue_cert("127.0.0.1", common_name="server")
        write(self.server, server)
        write(self.client, authority.issue_cert("client.test", common_name="client"))
        write(self.wrong_client, stranger.issue_cert("client.test", common_name="client"))


def write(path: Path, issued: trustme.LeafCert) -> None:
    key = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
    pkcs8 = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(pkcs8 + b"".join(each.bytes() for each in issued.cert_chain_pems))
    path.chmod(0o644)
