"""Which servers we believe: one set of certificates for all connections of a process.

Reading them takes some 20 ms, and a pulse opens several clients every minute.
"""

import ssl
from functools import cache

import httpx


@cache
def certificates() -> ssl.SSLContext:
    """The certificates that httpx trusts, `SSL_CERT_FILE` and `SSL_CERT_DIR` of the environment before its own."""
    return httpx.create_ssl_context()
