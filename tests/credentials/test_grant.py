"""That every grant of the house is one."""

import time

from gateway.credentials.grant import Grant
from gateway.credentials.grants.engage_legacy import EngageLegacyGrant
from gateway.credentials.grants.jwt import JwtGrant
from gateway.credentials.grants.refresh import RefreshGrant
from tests.credentials.desk import Desk, app_of, endpoint_of, vault_of


async def test_only_a_token_that_is_good_once_does_not_begin_anew() -> None:
    service = Desk()
    login = EngageLegacyGrant(endpoint_of(service), vault_of(), time.time, stay_logged_in=False)
    app = app_of(service)
    grants: list[Grant] = [JwtGrant(app), RefreshGrant(app), login]
    assert [grant.begins_anew for grant in grants] == [True, False, True]
    assert [grant.slides for grant in grants] == [False, False, True]
    for grant in grants:
        await grant.close()
