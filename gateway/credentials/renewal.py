"""One renewal: a newer holding, from the store or from the vendor, written before it is used.

In a fleet only the holder of the lease asks the vendor; everybody else waits for what it
writes. The number of the lease is the generation of what is obtained under it, so that
the same number orders tokens, guards the store and tells a refused token from an older one.

Rule 1: what is in the store already is taken; the vendor is asked when it has nothing newer.
Rule 2: a new pair is written before its first use. When it cannot be written it is used all
        the same, and written as soon as the store is back.
Rule 3: what is configured rules: a chain that began with other secrets is not carried on.
Rule 4: what a chain began with is presented anew only after another look at the store.
Rule 5: this module knows nothing of requests, timers and the grants' secrets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.core.secret import Secret
from gateway.credentials.chains import Chains
from gateway.credentials.failures import Outcome, TokenCallFailed
from gateway.credentials.grant import Grant
from gateway.credentials.holding import Holding
from gateway.stores.store import Lease, Store, StoreDown

# For the holder of a lease to finish its token call; then the store is looked at again.
_LOOK_AGAIN_S = 1.0
# A store looks about once a second whether it is back.
_STORE_AGAIN_S = 2.0


@dataclass(frozen=True, slots=True)
class Held:
    """A holding with its generation; `adopted` tells that another process obtained it."""

    generation: int
    holding: Holding | None
    adopted: bool = False


NOTHING = Held(0, None)


class Renewal:
    """Renews the holding of one credential, in the chains under its key of a store."""

    def __init__(self, key: str, grant: Grant, store: Store, clock: Callable[[], float]) -> None:
        self.key = key
        self._chains = Chains(key, store)
        self.grant = grant
        # The one that was asked last: another one may have come in its place meanwhile.
        self.asked: Grant | None = None
        self._clock = clock
        self.is_saved = True
        # What upstream refused is used no more, however long a life the store has for it.
        self.refused: Secret | None = None
        # The latest of which the vendor said no, where there was something to begin anew with.
        self._over = NOTHING

    async def read(self) -> Held:
        """Return what the store has, `NOTHING` when that is nothing; raises `StoreDown`."""
        return await self._read(await self._seed(NOTHING))

    async def renew(self, held: Held) -> Held:
        """Return a holding that is newer than `held` and lives.

        Raises `TokenCallFailed`, or `StoreDown` while nothing was asked of the vendor.
        """
        while True:
            held = self._heir(held)
            seed = await self._seed(held)
            latest = await self._latest(held, seed)
            if self._is_fit(latest, held):
                return latest
            lease = await self._chains.lease(seed, latest.generation)
            if lease is None:
                await self._chains.changed(seed, latest.generation, _LOOK_AGAIN_S)
                continue
            try:
                # Whoever had the lease before may have written after the look above.
                latest = await self._latest(held, seed)
                if self._is_fit(latest, held):
                    return latest
                if not lease.is_lost and (
                    obtained := await self._obtain(latest, held, lease, seed)
                ):
                    return obtained
            finally:
                await lease.release()

    async def renew_alone(self, held: Held) -> Held:
        """Obtain a holding without the store; raises `TokenCallFailed`."""
        held = self._heir(held)
        if not self.may_go_alone(held):
            raise _waits_for_store()
        try:
            holding = await self._ask(held.holding, alone=True)
        except TokenCallFailed as failure:
            holding = await self._begin_unseen(failure, held)
        self.is_saved = False
        return Held(held.generation + 1, holding)

    def may_go_alone(self, held: Held) -> bool:
        """Tell whether a token may be obtained while the store cannot be asked.

        What a chain began with is spent, and presented anew it may be the end of the chain.
        """
        holding, over = held.holding, self._over
        if self.grant.begins_anew or holding is None:
            return self.grant.begins_anew
        is_same = over.holding is not None and over.holding.seed == holding.seed
        return not is_same or held.generation > over.generation

    async def save(self, held: Held) -> Held:
        """Write what could not be written or was lost, unless the store has as new a one.

        Returns it with the generation that it has now, or the newer one; raises `StoreDown`.
        """
        holding = held.holding
        if holding is None:
            return held
        was_alone, self.is_saved = not self.is_saved, False
        found = await self._read(holding.seed)
        if was_alone and _is_newer(holding, found.holding):
            # A number that was given without the store says nothing beside those of the store.
            held = Held(max(held.generation, found.generation + 1), holding)
        if found.generation < held.generation:
            return await self.keep(held, holding)
        self.is_saved = True
        return found if self._is_fit(found, held) else held

    async def keep(self, held: Held, holding: Holding) -> Held:
        """Write a holding of the same token, unless somebody else is at it, or has a newer one.

        Returns what is to be used from now on; raises `StoreDown`.
        """
        self.is_saved = False
        lease = await self._chains.lease(holding.seed, held.generation - 1)
        if lease is None:
            return held
        try:
            # The lease has a newer number, which an older token must not be written under.
            found = await self._read(holding.seed)
            if found.generation > held.generation and not _is_longer(holding, found.holding):
                self.is_saved = True
                return found if self._is_fit(found, held) else held
            self.is_saved = await self._chains.write(lease, holding)
            return Held(lease.fence, holding) if self.is_saved else held
        finally:
            await lease.release()

    async def look(self, held: Held) -> Held | None:
        """Return what another process has obtained meanwhile; raises `StoreDown`."""
        held = self._heir(held)
        latest = await self._latest(held, await self._seed(held))
        return latest if self._is_fit(latest, held) else None

    def _heir(self, held: Held) -> Held:
        """Return what is held, `NOTHING` when it descends from secrets that were replaced."""
        holding, seed = held.holding, self.grant.seed()
        return held if holding is None or seed in ("", holding.seed) else NOTHING

    async def _seed(self, held: Held) -> str:
        """Return what the chain began with that is to be carried on."""
        if seed := self.grant.seed():
            return seed
        return await self._chains.latest() if held.holding is None else held.holding.seed

    async def _read(self, seed: str) -> Held:
        version, holding = await self._chains.read(seed)
        return Held(version, holding, adopted=True) if version else NOTHING

    async def _latest(self, held: Held, seed: str) -> Held:
        found = await self._read(seed)
        if found.generation <= held.generation:
            return held
        if not self.is_saved and _is_newer(held.holding, found.holding):
            # The store was away for longer, and its number is that of an older pair.
            return Held(found.generation, held.holding)
        # What nobody here can use leaves us with our own, and its number.
        return found if found.holding is not None else Held(found.generation, held.holding)

    def _is_fit(self, found: Held, held: Held) -> bool:
        """Tell whether `found` is another token than `held`, or a longer life of it, and lives."""
        newer, known = found.holding, held.holding
        if found.generation <= held.generation or newer is None or newer.access == self.refused:
            return False
        is_same = known is not None and newer.access == known.access
        if is_same and not _is_longer(newer, known):
            return False
        return self._clock() < newer.expires_at

    async def _ask(self, held: Holding | None, *, alone: bool) -> Holding:
        self.asked = self.grant
        return await self.asked.obtain(held, alone=alone)

    async def _obtain(self, latest: Held, held: Held, lease: Lease, seed: str) -> Held | None:
        """Return what the vendor gives; None when somebody else is at the chain."""
        try:
            holding = await self._ask(latest.holding, alone=False)
        except TokenCallFailed as failure:
            return await self._make_up(failure, latest, held, lease, seed)
        return await self._written(holding, lease, seed)

    async def _make_up(
        self, failure: TokenCallFailed, latest: Held, held: Held, lease: Lease, seed: str
    ) -> Held | None:
        """Return what makes up for a failure, or raise it; None to look at all of it again."""
        if not failure.is_refusal:
            raise failure
        try:
            # Refused is also what somebody else has spent while we stood still.
            if (found := await self.look(held)) is not None:
                return found
            is_newer = (await self._read(seed)).generation > latest.generation
        except StoreDown:
            return await self._written(await self._begin_unseen(failure, latest), lease, seed)
        if failure.may_begin:
            # Also where there is more to look at: the store may be away by then.
            self._over = latest
        if is_newer or (failure.may_begin and lease.is_lost):
            return None
        if not failure.may_begin:
            raise failure
        return await self._obtain(Held(latest.generation, None), held, lease, seed)

    async def _begin_unseen(self, failure: TokenCallFailed, held: Held) -> Holding:
        """Obtain with what is configured while the store cannot be asked, or raise."""
        if not failure.may_begin:
            raise failure
        if not self.grant.begins_anew:
            self._over = held
            raise _waits_for_store()
        return await self._ask(None, alone=True)

    async def _written(self, holding: Holding, lease: Lease, seed: str) -> Held:
        obtained = Held(lease.fence, holding)
        if not self._chains.are_one(seed, holding.seed):
            # A secret was replaced meanwhile: the lease is on another chain's record.
            return await self._keep_elsewhere(obtained, holding)
        try:
            written = await self._chains.write(lease, holding)
            self.is_saved = True
            # We were held up for so long that another one took over: its token is the newer.
            return obtained if written else await self._latest(obtained, holding.seed)
        except StoreDown:
            self.is_saved = False
            return obtained

    async def _keep_elsewhere(self, obtained: Held, holding: Holding) -> Held:
        try:
            return await self.keep(obtained, holding)
        except StoreDown:
            return obtained


def _waits_for_store() -> TokenCallFailed:
    return TokenCallFailed(
        Outcome.STORE,
        "the store that has the newest refresh token is away",
        retry_after_s=_STORE_AGAIN_S,
    )


def _is_newer(holding: Holding | None, other: Holding | None) -> bool:
    """Tell whether it is a later pair of the same chain."""
    if holding is None or other is None or holding.access == other.access:
        return False
    return holding.seed == other.seed and holding.obtained_at > other.obtained_at


def _is_longer(holding: Holding, other: Holding | None) -> bool:
    """Tell whether it is the same token with a longer life."""
    if other is None or holding.access != other.access:
        return False
    return holding.expires_at > other.expires_at
