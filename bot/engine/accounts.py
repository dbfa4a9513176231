"""What people do with their linked accounts: confirm, reject, disconnect, and be forgotten."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from bot.clock import Clock
from bot.model.account import Account, AccountStatus
from bot.model.errors import CrossfadeError, UserMistake
from bot.model.events import AccountLinked, Event
from bot.model.mapping import Mapping
from bot.model.router import BasePlaylist
from bot.services.registry import MusicServices
from storage import Storage

log = logging.getLogger(__name__)

# A line that is written while somebody is forgotten would bring the name back that is being taken out.
_NAMELESS: dict[str, Any] = {"actor_id": None}
GONE = "The account that this mapping uses was disconnected by its owner."
BASE_GONE = "The account that this base playlist belongs to was disconnected by its owner."


@dataclass(frozen=True, slots=True, kw_only=True)
class Departed:
    """What is left after an account went: itself (None for several), and what is paused now.

    ``paused`` holds also the hidden mappings of children that it wrote to, under the children's names.
    """

    account: Account | None
    paused: tuple[Mapping, ...]
    bases: tuple[BasePlaylist, ...] = ()


class Accounts:
    """``wake`` tells the executor that work may be due again."""

    def __init__(self, storage: Storage, services: MusicServices, clock: Clock, *, wake: Callable[[], None]) -> None:
        self._storage = storage
        self._services = services
        self._clock = clock
        self._wake = wake
        self._background: set[asyncio.Task[None]] = set()

    async def of_user(self, discord_user_id: int) -> list[Account]:
        return await self._storage.accounts.of_user(discord_user_id)

    async def confirm(self, account_id: int, discord_user_id: int) -> Account:
        """The person says that the account is theirs: it may be used now."""
        await self._own(account_id, discord_user_id)
        account = await self._storage.accounts.confirm(account_id)
        if account is None:
            raise UserMistake("This account does not wait for a confirmation any more; /accounts shows how it stands.")
        log.info(Event.ACCOUNT_CONFIRMED, extra=_fields(account))
        await self._release(account)
        return account

    async def reject(self, account_id: int, discord_user_id: int) -> None:
        """The person says that it is not theirs: the login is given back and forgotten."""
        account = await self._own(account_id, discord_user_id)
        if account.status is AccountStatus.PENDING:
            await self._services.oauth.revoke(account_id)
        if not await self._storage.accounts.reject(account_id):
            raise UserMistake("This account does not wait for a confirmation any more; /accounts shows how it stands.")
        log.info(Event.ACCOUNT_REJECTED, extra=_fields(account))

    async def disconnect(self, account_id: int, discord_user_id: int) -> Departed:
        """Give the login back and pause every mapping that needs it; the mappings' history stays."""
        account = await self._own(account_id, discord_user_id)
        mappings = await self._needing(account_id)
        bases = await self._storage.routers.using_account(account_id)
        await self._services.oauth.revoke(account_id)
        if not await self._storage.accounts.disconnect(account_id):
            raise UserMistake("This account is disconnected already.")
        log.info(Event.ACCOUNT_DISCONNECTED, extra=_fields(account))
        return Departed(account=account, paused=await self._pause(mappings), bases=await self._pause_bases(bases))

    async def forget(self, discord_user_id: int) -> Departed:
        """Delete the person's logins and names everywhere, and pause the mappings that needed them."""
        mappings: dict[int, Mapping] = {}
        bases: list[BasePlaylist] = []
        for account in await self._storage.accounts.of_user(discord_user_id):
            mappings |= {one.id: one for one in await self._needing(account.id)}
            bases += await self._storage.routers.using_account(account.id)
            if account.status is not AccountStatus.DISCONNECTED:
                await self._services.oauth.revoke(account.id)
        paused = await self._pause(list(mappings.values()), nameless=True)
        paused_bases = await self._pause_bases(bases, nameless=True)
        await self._storage.accounts.forget_user(discord_user_id)
        log.info(Event.ACCOUNT_FORGOTTEN, extra=_NAMELESS)
        return Departed(account=None, paused=paused, bases=paused_bases)

    async def refresh_playlists(self, account_id: int) -> int:
        """Read the account's list of playlists for the autocomplete; returns how many there are."""
        service = await self._services.for_account(account_id)
        playlists = await service.playlists()
        await self._storage.playlists.remember_list(account_id, playlists)
        return len(playlists)

    def linked(self, fact: AccountLinked) -> None:
        """A consent came back; an account that was known before works again at once (subscribed to the hub)."""
        self._spawn(self._relinked(fact.account_id))

    async def close(self) -> None:
        for task in tuple(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)

    async def _relinked(self, account_id: int) -> None:
        account = await self._storage.accounts.get(account_id)
        if account is not None and account.status is AccountStatus.CONNECTED:
            await self._release(account)

    async def _release(self, account: Account) -> None:
        """What waited for this login is due again, and its playlists are read for the autocomplete."""
        for mapping in await self._storage.mappings.using_account(account.id):
            await self._storage.items.wake(mapping_id=mapping.id)
        self._wake()
        self._spawn(self._list(account))

    async def _list(self, account: Account) -> None:
        try:
            await self.refresh_playlists(account.id)
        except CrossfadeError as error:  # the autocomplete stays empty until the next look; URLs work all the same
            log.warning(Event.SERVICE_FAILING, extra={"service": account.service.label, "error": str(error)})

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _own(self, account_id: int, discord_user_id: int) -> Account:
        account = await self._storage.accounts.get(account_id)
        if account is None or account.discord_user_id != discord_user_id:
            raise UserMistake("That account does not exist any more, or is not yours; /accounts shows your own.")
        return account

    async def _needing(self, account_id: int) -> list[Mapping]:
        """A child needs the account that it is written through; what it comes from is its base's."""
        mappings = await self._storage.mappings.using_account(account_id)
        return [one for one in mappings if not one.hidden or one.right.account_id == account_id]

    async def _pause_bases(self, bases: list[BasePlaylist], *, nameless: bool = False) -> tuple[BasePlaylist, ...]:
        """As ``_pause``."""
        paused = []
        for base in bases:
            if base.enabled:
                await self._storage.routers.update_base(base.id, enabled=False, pause_reason=BASE_GONE)
                fields: dict[str, Any] = {"base": base.name, "reason": BASE_GONE, "guild_id": base.guild_id}
                log.warning(Event.BASE_PAUSED, extra=fields | (_NAMELESS if nameless else {}))
                paused.append(base)
        return tuple(paused)

    async def _pause(self, mappings: list[Mapping], *, nameless: bool = False) -> tuple[Mapping, ...]:
        """``nameless``: the log does not tell whose doing it was."""
        paused = []
        for mapping in mappings:
            if mapping.enabled:
                await self._storage.mappings.update(mapping.id, enabled=False, pause_reason=GONE)
                fields: dict[str, Any] = {"mapping": mapping.name, "reason": GONE}
                fields |= {"mapping_id": mapping.id, "guild_id": mapping.guild_id}
                log.warning(Event.MAPPING_PAUSED, extra=fields | (_NAMELESS if nameless else {}))
                paused.append(mapping)
        return tuple(paused)


def _fields(account: Account) -> dict[str, Any]:
    return {
        "service": account.service.label,
        "account": account.display_name,
        "actor_id": account.discord_user_id,
        "guild_id": account.guild_id or None,
    }
