"""gateway/engine/tls.py: strict contexts, shared by what is made together."""

import ssl
from pathlib import Path

import pytest
import trustme

from gateway.engine.tls import TlsContexts


@pytest.fixture
def ca_file(tmp_path: Path) -> Path:
    file = tmp_path / "ca.pem"
    write_authority(file)
    return file


def write_authority(file: Path) -> None:
    trustme.CA().cert_pem.write_to_path(file)


def authorities(context: ssl.SSLContext) -> set[bytes]:
    return set(context.get_ca_certs(binary_form=True))


def protocol_chosen_by(context: ssl.SSLContext) -> str | None:
    """Return what is agreed on with a server that speaks HTTP/2, too."""
    authority = trustme.CA()
    authority.configure_trust(context)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.set_alpn_protocols(["h2", "http/1.1"])
    authority.issue_cert("a.example").configure_cert(server)
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = context.wrap_bio(down, up, server_hostname="a.example")
    theirs = server.wrap_bio(up, down, server_side=True)
    for side in (ours, theirs, ours):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return ours.selected_alpn_protocol()


def test_tls_is_verified_and_not_old_and_speaks_one_http(ca_file: Path) -> None:
    for context in (TlsContexts().find(None), TlsContexts().find(ca_file)):
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2
        assert protocol_chosen_by(context) == "http/1.1"


def test_an_authority_of_ones_own_is_believed_beside_the_system_s(ca_file: Path) -> None:
    contexts = TlsContexts()
    system, more = authorities(contexts.find(None)), authorities(contexts.find(ca_file))
    assert system <= more
    assert len(more - system) == 1


def test_what_is_made_together_and_believes_the_same_shares_a_context(ca_file: Path) -> None:
    contexts = TlsContexts()
    plain, private = contexts.find(None), contexts.find(ca_file)
    assert contexts.find(None) is plain
    assert contexts.find(ca_file) is private
    assert plain is not private


def test_what_is_made_later_reads_the_file_anew(ca_file: Path) -> None:
    before = TlsContexts().find(ca_file)
    write_authority(ca_file)
    after = TlsContexts().find(ca_file)
    assert authorities(after) != authorities(before)


def test_a_file_that_cannot_be_read_is_an_error_each_time(tmp_path: Path) -> None:
    contexts = TlsContexts()
    for _ in range(2):
        with pytest.raises(OSError, match="No such file"):
            contexts.find(tmp_path / "none.pem")
