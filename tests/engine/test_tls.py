"""gateway/engine/tls.py: strict contexts, shared by all that believe the same."""

import gc
import ssl
import weakref
from pathlib import Path

import pytest
import trustme

from gateway.engine.tls import tls_for


def write_authority(folder: Path) -> Path:
    file = folder / "ca.pem"
    trustme.CA().cert_pem.write_to_path(file)
    return file


def authorities(context: ssl.SSLContext) -> set[bytes]:
    return set(context.get_ca_certs(binary_form=True))


def test_tls_is_verified_and_not_old(tmp_path: Path) -> None:
    for context in (tls_for(None), tls_for(write_authority(tmp_path))):
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_an_authority_of_ones_own_is_believed_beside_the_system_s(tmp_path: Path) -> None:
    system, more = authorities(tls_for(None)), authorities(tls_for(write_authority(tmp_path)))
    assert system < more
    assert len(more - system) == 1


def test_who_believes_the_same_has_the_same_context(tmp_path: Path) -> None:
    file = write_authority(tmp_path)
    plain, private = tls_for(None), tls_for(file)
    assert tls_for(None) is plain
    assert tls_for(file) is private
    assert plain is not private


def test_an_authority_that_was_written_anew_is_read_anew(tmp_path: Path) -> None:
    before = tls_for(write_authority(tmp_path))
    after = tls_for(write_authority(tmp_path))
    assert authorities(after) != authorities(before)


def test_roots_of_the_system_that_were_written_anew_are_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    before = tls_for(None)
    assert len(authorities(before)) == 1
    write_authority(tmp_path)
    assert authorities(tls_for(None)).isdisjoint(authorities(before))


def test_a_context_that_nobody_connects_by_is_not_held(tmp_path: Path) -> None:
    gone = weakref.ref(tls_for(write_authority(tmp_path)))
    gc.collect()
    assert gone() is None


def test_a_file_that_cannot_be_read_is_an_error_each_time(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(OSError, match="No such file"):
            tls_for(tmp_path / "none.pem")
