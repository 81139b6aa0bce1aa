"""What a worker is started with, as it is told and read."""

import asyncio
import os

import orjson

from gateway.app.job import Job, read_job
from gateway.app.opened import prepare
from gateway.config.load import load

TOKEN = "credentials.ringcentral.token=literal:hidden"


async def test_a_job_is_told_and_read(tmp_path: object) -> None:
    loaded = load([], [TOKEN, f"listener.bind=['127.0.0.1:0', 'unix:{tmp_path}/s']"], {})
    opened = (await prepare([], loaded.config.listener.bind)).after
    job = Job(loaded.tree, opened)
    assert "hidden" not in repr(job)
    message = orjson.loads(orjson.dumps(job.render()))
    # The descriptors of another process have the same numbers; in this one they are copied.
    message["binds"] = [[bind, [os.dup(fd) for fd in fds]] for bind, fds in message["binds"]]
    config, inherited = read_job(message)
    assert config == loaded.config
    assert [one.binds for one in inherited] == [one.binds for one in opened]
    assert len(job.descriptors) == 2
    for one in inherited:
        # The file is the parent's.
        one.close()
    _, writer = await asyncio.open_unix_connection(f"{tmp_path}/s")
    writer.close()
    for one in opened:
        one.close()


def test_what_is_no_utf_8_survives() -> None:
    tree = {**load([], [TOKEN], {}).tree, "user_agent": {"comment": "\udcff"}}
    assert b"\\\\udcff" in orjson.dumps(Job(tree, []).render())
