"""One credential in this process: its current token, one renewal at a time, failures remembered.

Requests get the token that lives. It is renewed in the background before it dies, and
when upstream refuses it; whoever has no token waits for the one renewal that is under way,
as long as its own deadline allows. While a failure holds the next attempt off, everybody
is told at once when to come back.

Rule 1: no request waits while the current token lives.
Rule 2: a generation that upstream refuses causes one renewal, however many requests it hit.
Rule 3: the vendor is asked only in `renewal`; what to do about a failure only `setbacks` says.
Rule 4: by whatever means tokens are had, of one chain nobody else in this process is in charge:
        what is held, or is being obtained, may be the only copy.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from gateway.credentials.alarm import Alarm
from gateway.credentials.bulletin import Bulletin
from gateway.credentials.events import Events
from gateway.credentials.failures import Outcome, TokenCallFailed
from gateway.credentials.flight import Flight
from gateway.credentials.grant import Grant
from gateway.credentials.life import EXTEND_SHARE, Life
from gateway.credentials.means import Means
from gateway.credentials.renewal import NOTHING, Held, Renewal
from gateway.credentials.setbacks import Setback, unavailable
from gateway.credentials.tokens import Status, Token
from gateway.errors import CredentialUnavailable
from gateway.stores.store import StoreDown

# The share of its life that a token must have left for a store that is down to be waited for.
_RESERVE = 0.05
# For a token call that is under way when the gateway stops: its answer may be the only copy.
_CLOSE_WITHIN_S = 5.0


class Broker:
    """Gives the current token of one credential; `renewal` has the grant of `means`."""

    def __init__(
        self,
        name: str,
        kind: str,
        renewal: Renewal,
        means: Means,
        events: Events,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._name = name
        self._renewal = renewal
        self._means = means
        # Replaced, and not yet closed: a token call may be under way.
        self._former: list[Grant] = []
        self._bulletin = Bulletin(name, kind, events, clock)
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._held: Held = NOTHING
        self._token: Token | None = None
        self._life = Life()
        self._flight = Flight(self._fly)
        self._alarm = Alarm(self._loop, self._on_timer)
        self._closed = False
        self.on_use = self._prolong if renewal.grant.slides else None

    # The requests' side.

    def ready(self) -> Token | None:
        """Return the current token if it lives."""
        return self._token if self._life.lives(self._loop.time()) else None

    async def current(self, deadline: float) -> Token:
        """Return a token by `deadline`, or raise `CredentialUnavailable`."""
        while (token := self.ready()) is None:
            if (setback := self._hold_off()) is not None:
                raise unavailable(self._name, setback, self._loop.time())
            await self._landed(deadline)
        return token

    def refuse(self, token: Token, place: bytes = b"") -> bool:
        """Have the token renewed that upstream refused, unless a newer one is here already."""
        # The same one may have got another number since, when it was written.
        is_current = self._token is not None and token.value == self._token.value
        if is_current and not self._life.was_ended:
            if not self._may_reissue(place):
                return False
            self._life.end()
            self._renewal.refused = token.value
            self._flight.begin()
        return True

    def acquit(self, place: bytes) -> None:
        """Cause no renewal for what this place refuses, for a window."""
        self._means.reissues.acquit(place, self._loop.time())

    def seed(self) -> str:
        """Return what the current token descends from, or the next one will."""
        return self._token.seed if self._token is not None else self._renewal.grant.seed()

    def status(self) -> Status:
        """Return what may be told of the credential."""
        holding = self._held.holding
        now, ends_at = self._loop.time(), None
        if holding is not None:
            ends_at = self._life.ends_at(holding, self._clock(), now)
        return self._bulletin.status(self._held, ends_at, self._means.setbacks.latest, now)

    # The composition root's side.

    def open(self) -> None:
        """Have a token: the one that the store has, or a new one."""
        self._flight.begin()

    def carries_on(self, key: str, grant: Grant) -> bool:
        """Tell whether a grant would go on with the very chain, and in the same place."""
        return key == self._renewal.key and grant.seed() in ("", self.seed())

    def change(self, means: Means) -> None:
        """Have tokens by other means from now on; what is held stays, and what is under way counts.

        The grant must be one that `carries_on`.
        """
        self._former.append(self._means.grant)
        self._means = means
        self._renewal.grant = means.grant
        # What is under way may ask the new one, if it has asked nobody yet.
        means.watch.note()
        self._flight.begin_again()

    async def close(self) -> None:
        """Stop; a token call that is under way gets a moment to end."""
        self._closed = True
        self._alarm.close()
        await self._flight.close(_CLOSE_WITHIN_S)
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_WITHIN_S):
                await self._share(0.0)
        await self._part()
        await self._renewal.grant.close()

    # One renewal.

    async def _landed(self, deadline: float) -> None:
        """Wait for the end of the renewal under way, whatever it is."""
        if self._closed:
            raise CredentialUnavailable("the gateway is shutting down")
        try:
            await self._flight.landed(deadline)
        except TimeoutError:
            raise CredentialUnavailable(
                f"no token for credential {self._name} came in time"
            ) from None

    async def _fly(self) -> None:
        self._alarm.cancel()
        try:
            if self._is_foreign():
                self._life.end()
            await self._part()
            if self._hold_off() is not None:
                await self._look()
            elif self._life.is_due(self._loop.time()):
                self._adopt(await self._renew())
            else:
                await self._share(EXTEND_SHARE)
                self._arm()
        except TokenCallFailed as failure:
            self._fail(failure)
        except Exception:
            # A bug: it goes on to whoever waits, and nobody spins.
            self._fail(TokenCallFailed(Outcome.ERROR, "the renewal failed"))
            raise

    async def _part(self) -> None:
        """Close the grants that were replaced; nothing of theirs is under way."""
        while self._former:
            await self._former.pop().close()

    async def _renew(self) -> Held:
        self._means.watch.note()
        try:
            return await self._renewal.renew(self._held)
        except StoreDown as down:
            self._bulletin.store_failed(str(down))
            left_s = self._life.dies_at - self._loop.time()
            if left_s > _RESERVE * self._life.lifetime_s:
                # The store may be back in time, and with it the order in the fleet.
                wait_s = left_s / 4
                raise TokenCallFailed(Outcome.STORE, str(down), retry_after_s=wait_s) from None
            return await self._renewal.renew_alone(self._held)

    async def _share(self, least: float) -> None:
        """Have the store know what is held: what it lost, and a life that use made longer."""
        held, longer = self._held, None
        if held.holding is not None:
            now, wall = self._loop.time(), self._clock()
            longer = self._life.longer(held.holding, wall, now, least=least)
        with suppress(StoreDown):
            if longer is not None:
                kept = await self._renewal.keep(held, longer)
            else:
                kept = await self._renewal.save(held)
            if not kept.adopted or kept.generation == held.generation:
                self._renumber(kept)
            elif not self._life.was_ended:
                self._adopt(kept)

    async def _look(self) -> None:
        """Take what another process has obtained, while nothing may be asked of the vendor."""
        with suppress(StoreDown):
            found = await self._renewal.look(self._held)
            if found is not None:
                self._adopt(found)
                return
        self._look_later()

    def _renumber(self, held: Held) -> None:
        """Use the number under which the same token was written."""
        self._held = held
        if self._token is not None:
            self._token = Token(self._token.value, held.generation, self._token.seed)

    def _adopt(self, held: Held) -> None:
        """Use a holding from now on."""
        self._held, holding = held, held.holding
        assert holding is not None  # noqa: S101 - a renewal ends with a holding or an error
        if self._token is None or self._token.value != holding.access:
            self._bulletin.token_changed(held.generation)
        self._token = Token(holding.access, held.generation, holding.seed)
        slides = self._renewal.grant.slides
        self._life.begin(holding, self._clock(), self._loop.time(), slides=slides)
        self._means.forget()
        self._bulletin.finished("adopted" if held.adopted else "obtained")
        self._arm()

    def _fail(self, failure: TokenCallFailed) -> None:
        # By other means than those that failed a call may succeed.
        if self._renewal.asked not in self._former:
            self._means.setbacks.note(failure, self._loop.time())
        self._bulletin.finished(failure.outcome, failure.reason)
        self._look_later()

    # When.

    def _is_foreign(self) -> bool:
        """Tell whether the token may be another user's than the next one."""
        holding = self._held.holding if self._means.follows or self._former else None
        return holding is not None and self._renewal.grant.seed() not in ("", holding.seed)

    def _prolong(self) -> None:
        self._life.prolong(self._loop.time())

    def _arm(self) -> None:
        """Set the timer for the next renewal, or for what the store should know before that."""
        now, is_saved = self._loop.time(), self._renewal.is_saved
        self._alarm.set(self._life.next_at(now, is_saved=is_saved))

    def _look_later(self) -> None:
        """Come back when the setback is over, or to look at the store before that."""
        means = self._means
        setback, look_at = means.setbacks.latest, self._loop.time() + means.look_every_s
        self._alarm.set(look_at if setback is None else min(setback.retry_at, look_at))

    def _on_timer(self) -> None:
        """Renew, share or look; a sliding token that died unused is nobody's need."""
        is_idle = self._life.slides_s and self._means.setbacks.latest is None
        if not is_idle or self._life.lives(self._loop.time()):
            self._flight.begin()

    def _hold_off(self, *, is_dead: bool = False) -> Setback | None:
        """Return the setback that forbids a token call now, unless a secret has changed."""
        now = self._loop.time()
        is_dead = is_dead or not self._life.lives(now)
        # A store is waited for only while there is a token, or none without it.
        may_go = is_dead and self._renewal.may_go_alone(self._held)
        # Somebody wants a token; another process may have one by now.
        return self._means.hold_off(now, may_go_alone=may_go, look=self._flight.begin)

    def _may_reissue(self, place: bytes) -> bool:
        """Tell whether a token may be renewed that a place refused, and count it."""
        now = self._loop.time()
        # Nobody is to be without a token for one place's word, while no other one can be had.
        if self._means.reissues.is_unjust(place, now) or self._hold_off(is_dead=True) is not None:
            return False
        # What is under way may only tell the store something.
        is_renewed = self._flight.is_under_way and self._life.is_due(now)
        if not is_renewed and (denied := self._means.reissues.spend(now)) is not None:
            self._bulletin.denied(denied, now)
            return False
        return True
