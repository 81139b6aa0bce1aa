"""The commands that `serve --simulator` prints."""

from dataclasses import dataclass

from gateway.cli.welcome import render_welcome


@dataclass
class Examples:
    delete_id: int = 11
    update_id: int = 22


def test_without_a_port_the_commands_go_through_the_socket() -> None:
    text = render_welcome("http://localhost", Examples(), unix_socket="/run/a b.sock")
    assert text.startswith("rc-gateway listens on unix:/run/a b.sock, ")
    commands = [line for line in text.splitlines() if line.startswith("curl")]
    assert len(commands) == 3
    for command in commands:
        assert command.startswith("curl --unix-socket '/run/a b.sock' ")
        assert "'http://localhost/restapi/" in command


def test_three_commands_stand_on_lines_of_their_own() -> None:
    text = render_welcome("http://127.0.0.1:8080", Examples())
    store = "http://127.0.0.1:8080/restapi/v1.0/account/~/extension/~/message-store"
    assert [line for line in text.splitlines() if line.startswith("curl")] == [
        f"curl -i -X POST '{store}/11?_method=DELETE'",
        "curl -X POST -H 'X-HTTP-Method-Override: PUT' -H 'Content-Type: application/json'"
        f""" -d '{{"readStatus":"Read"}}' '{store}/22'""",
        f"curl '{store}?messageType=SMS&messageType=Pager'",
    ]
