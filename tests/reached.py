"""What an object keeps in memory, as the garbage collector knows it."""

import gc
from collections.abc import Iterator


def bytes_kept_by(root: object) -> Iterator[bytes]:
    """Yield all bytes that are reached from an object, but through no class."""
    gc.collect()
    reached, queue = {id(root)}, [root]
    while queue:
        for held in gc.get_referents(queue.pop()):
            if id(held) not in reached and not isinstance(held, type):
                reached.add(id(held))
                queue.append(held)
                if isinstance(held, bytes):
                    yield held
