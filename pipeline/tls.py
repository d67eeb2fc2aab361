"""TLS as a client: which authorities are trusted, and our own certificate. Knows files; knows
nothing of the servers that are connected to."""

import ssl


def client_context(ca_file: str, cert_file: str = "", checks_host: bool = True) -> ssl.SSLContext:
    """`ca_file`: PEM; empty: the authorities that this machine trusts. `cert_file`: PEM with a
    client certificate and its private key, or empty. Raises OSError or ssl.SSLError if a file
    cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = checks_host
    if ca_file:
        context.load_verify_locations(ca_file)
    else:
        context.load_default_certs()
    if cert_file:
        context.load_cert_chain(cert_file, password=refuse_encrypted)
    return context


def refuse_encrypted() -> str:
    """Without it OpenSSL asks for the password of an encrypted key on the terminal and waits."""
    raise ssl.SSLError("the private key is encrypted")
