"""What becomes of a chain whose store is away for a while, or whose secret changes meanwhile."""

from dataclasses import replace

import pytest

from gateway.core.secret import Secret
from gateway.credentials.chains import Chains, name_of
from gateway.credentials.failures import Outcome, TokenCallFailed
from gateway.credentials.holding import render
from gateway.credentials.renewal import NOTHING, Held
from gateway.stores.memory import MemoryStore
from gateway.stores.store import Entry
from tests.credentials.brokers import Place
from tests.credentials.desk import desk, endpoint_of, vault_of
from tests.credentials.test_broker_fleet import refresh_grant
from tests.credentials.test_broker_store import Downable
from tests.credentials.test_renewal import KEY, OURS, Counter, Falling, holding_of, renewal_of
from tests.eventually import eventually


async def test_a_store_that_is_away_at_a_start_does_not_cost_the_chain() -> None:
    store = Downable()
    async with desk() as service:

        def gateway() -> Place:
            vault = vault_of(client_id="id", refresh_token="first")
            return Place(service, store, refresh_grant(endpoint_of(service, store), vault), 4, 10.0)

        before = gateway()
        assert (await before.token()).value == Secret(b"access-1")
        await before.broker.close()
        store.is_down = True
        here = gateway()
        here.broker.open()
        refused = await here.refusal()
        assert "the store that has the newest refresh token is away" in refused.message
        assert refused.retry_after_s <= 2
        store.is_down = False
        await eventually(lambda: here.broker.ready() is not None)
        assert here.broker.refuse(await here.token())
        assert (await here.token()).value == Secret(b"access-2")
        await here.broker.close()
    assert [call.form["refresh_token"] for call in service.calls] == ["first", "refresh-1"]


async def test_who_has_a_pair_goes_on_alone_and_who_has_none_does_only_with_a_lasting_secret() -> (
    None
):
    renewal, grant = renewal_of(Falling("read"))
    assert (await renewal.renew_alone(NOTHING)).holding is not None
    grant.begins_anew = False
    with pytest.raises(TokenCallFailed) as failed:
        await renewal.renew_alone(NOTHING)
    assert (failed.value.outcome, failed.value.retry_after_s) == (Outcome.STORE, 2.0)
    assert (await renewal.renew_alone(Held(1, holding_of(1)))).generation == 2
    assert len(grant.asked) == 2


async def test_a_pair_that_was_had_alone_is_not_dropped_for_an_older_one_of_a_higher_number() -> (
    None
):
    older, newer = holding_of(3), replace(holding_of(4), obtained_at=1400.0)
    for is_saved_first in (True, False):
        store = MemoryStore()
        store.write(KEY, Entry(6, render(older)))
        store._fences[KEY] = 6
        renewal, grant = renewal_of(store)
        held = await renewal.renew_alone(Held(3, older))
        held = Held(held.generation, newer)
        if is_saved_first:
            held = await renewal.save(held)
            assert (held, renewal.is_saved) == (Held(7, newer), True)
        assert await renewal.look(held) is None
        await renewal.renew(held)
        assert [asked for asked, _ in grant.asked] == [older, newer]


async def test_beside_a_pair_that_is_saved_another_ones_is_newer_whatever_its_clock_said() -> None:
    store = MemoryStore()
    renewal, _ = renewal_of(store)
    held = await renewal.renew(NOTHING)
    others = Entry(held.generation + 1, render(replace(holding_of(9), obtained_at=1.0)))
    store.write(KEY, others)
    assert await renewal.look(held) == Held(
        others.version, replace(holding_of(9), obtained_at=1.0), adopted=True
    )


@pytest.mark.parametrize("fails_at", ["", "write"])
async def test_a_secret_that_is_replaced_during_a_call_leaves_the_former_chain_alone(
    fails_at: str,
) -> None:
    store, grant = Falling(), Counter()
    renewal, _ = renewal_of(store, grant)
    first = await renewal.renew(NOTHING)

    def replace_secret() -> None:
        grant.seeds, store.fails_at = "other", fails_at

    grant.during = replace_secret
    held = await renewal.renew(first)
    assert held.holding == holding_of(2, "other")
    store.fails_at = ""
    chains = Chains(OURS, store)
    assert await chains.read("seed") == (first.generation, first.holding)
    assert renewal.is_saved is (not fails_at)
    held = await renewal.save(held)
    assert await chains.read("other") == (held.generation, holding_of(2, "other"))
    assert await chains.latest() == "other"


def test_chains_of_which_only_the_last_one_counts_have_one_record() -> None:
    chains = Chains(OURS, MemoryStore())
    assert chains.are_one("user one", "user two")
    assert not chains.are_one("one", "two")
    assert name_of(OURS, "user one") == f"{OURS}:user"
