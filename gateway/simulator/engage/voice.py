"""The resources that RingCX and the legacy API have in common: accounts, users, their roles.

The path here is what follows `/voice/api/v1/admin` or `/api/v1/admin`. A role is granted by
POST and taken by DELETE, on the same path: a DELETE that was tunnelled as a POST, and whose
override went astray, grants it. Lists are bare JSON arrays, as documented.

This module does not ask who may.
"""

from gateway.simulator.answers import Answer, render_document
from gateway.simulator.engage.errors import missing_entity
from gateway.simulator.faults import Document, unsupported_method

ACCOUNT_ID = "15300002"
MAIN_ACCOUNT_ID = "15300001"
USER_ID = "1790"
ROLES = ("ADMIN", "AGENT", "SUPERVISOR")

ACCOUNT: Document = {
    "accountId": ACCOUNT_ID,
    "accountName": "Simulated Contact Centre",
    "mainAccountId": MAIN_ACCOUNT_ID,
}
_USERS: tuple[Document, ...] = (
    {"userId": 1790, "userName": "ada@example.com", "firstName": "Ada", "lastName": "Byron"},
    {
        "userId": 1791,
        "userName": "local+15300002_1791@example.com",
        "firstName": "Charles",
        "lastName": "Babbage",
    },
)


class Voice:
    """The contact centre: its account, its two users, and what they may do."""

    def __init__(self) -> None:
        """Give everyone the role of an agent."""
        self._roles = {str(user["userId"]): {"AGENT"} for user in _USERS}

    def answer(self, method: str, path: tuple[str, ...]) -> Answer:
        """Answer a request for a resource. Raises Fault."""
        match path:
            case ("accounts",):
                return _read(method, [ACCOUNT])
            case ("users",):
                return _read(method, list(_USERS))
            case ("users", user_id) if user_id in self._roles:
                return _read(method, next(_ for _ in _USERS if str(_["userId"]) == user_id))
            case ("users", user_id, "roles") if user_id in self._roles:
                return _read(method, self._list_roles(user_id))
            case ("users", user_id, "roles", role) if user_id in self._roles and role in ROLES:
                return self._change_role(method, user_id, role)
        raise missing_entity()

    def _list_roles(self, user_id: str) -> list[Document]:
        return [{"userId": int(user_id), "roleType": role} for role in sorted(self._roles[user_id])]

    def _change_role(self, method: str, user_id: str, role: str) -> Answer:
        if method == "POST":
            self._roles[user_id].add(role)
        elif method == "DELETE":
            self._roles[user_id].discard(role)
        else:
            raise unsupported_method(method, "POST, DELETE")
        return render_document(self._list_roles(user_id))


def _read(method: str, document: Document | list[Document]) -> Answer:
    if method not in ("GET", "HEAD"):
        raise unsupported_method(method, "GET, HEAD")
    return render_document(document)
