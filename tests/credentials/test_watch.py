from gateway.credentials.watch import Watch


class Secrets:
    def __init__(self, *fingerprints: str) -> None:
        self.now = fingerprints
        self.watch = Watch(lambda: self.now)
        self.watch.note()


def test_a_secret_that_reads_otherwise_has_changed() -> None:
    secrets = Secrets("id", "old")
    assert not secrets.watch.has_changed()
    secrets.now = ("id", "new")
    assert secrets.watch.has_changed()
    secrets.watch.note()
    assert not secrets.watch.has_changed()


def test_a_file_that_is_away_for_a_moment_has_not_changed() -> None:
    secrets = Secrets("id", "same")
    secrets.now = ("id", "")
    assert not secrets.watch.has_changed()
    secrets.now = ("id", "same")
    assert not secrets.watch.has_changed()


def test_what_can_be_read_only_now_has_changed() -> None:
    secrets = Secrets("id", "")
    secrets.now = ("id", "there")
    assert secrets.watch.has_changed()


def test_one_that_stays_unreadable_hides_no_change_of_another() -> None:
    secrets = Secrets("", "old")
    secrets.now = ("", "new")
    assert secrets.watch.has_changed()
