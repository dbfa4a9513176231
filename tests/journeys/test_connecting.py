"""Linking music accounts from Discord, as people do it."""

from datetime import timedelta
from pathlib import Path

from bot.model.account import AccountStatus
from bot.model.music import Service
from tests.journeys.room import Room, answer, custom_ids, link_url, open_room, said


async def _consent(room: Room, service: str = "spotify") -> object:
    """The member asks for a link and follows it; what /connect answered."""
    asked = await room.member.slash(room.channel, "connect", service=service)
    status, _ = await room.browse(link_url(asked.response))
    assert status == 200
    return asked


async def test_a_person_links_an_account_and_confirms_it_privately(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        asked = await room.member.slash(room.channel, "connect", service="spotify")
        assert asked.ephemeral
        url = link_url(asked.response)
        assert url.startswith(f"{room.runtime.settings.public_url}/oauth/spotify/start?state=")
        status, _ = await room.browse(url)
        assert status == 200
        question = asked.followups[-1]
        assert question.ephemeral
        assert "Alice Marlow" in said(question)
        (account,) = await room.runtime.accounts.of_user(room.member.id)
        assert account.status is AccountStatus.PENDING
        assert custom_ids(question) == [f"account:confirm:{account.id}", f"account:reject:{account.id}"]
        confirmed = await room.member.click(question, custom_id=f"account:confirm:{account.id}")
        assert "Spotify is connected" in said(confirmed.response)
        (account,) = await room.runtime.accounts.of_user(room.member.id)
        assert account.status is AccountStatus.CONNECTED


async def test_the_confirmation_works_after_a_restart(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        asked = await _consent(room, "youtube")
        await room.restart()
        (account,) = await room.runtime.accounts.of_user(room.member.id)
        await room.member.click(asked.followups[-1], custom_id=f"account:confirm:{account.id}")
        (account,) = await room.runtime.accounts.of_user(room.member.id)
        assert account.status is AccountStatus.CONNECTED


async def test_a_rejected_account_leaves_nothing_behind(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        asked = await _consent(room)
        (account,) = await room.runtime.accounts.of_user(room.member.id)
        await room.member.click(asked.followups[-1], custom_id=f"account:reject:{account.id}")
        linked = await room.runtime.accounts.of_user(room.member.id)
        assert not [one for one in linked if one.status is AccountStatus.CONNECTED]
        shown = await room.member.slash(room.channel, "accounts")
        assert f"account:confirm:{account.id}" not in custom_ids(shown.response)


async def test_when_the_interaction_is_gone_the_question_comes_by_direct_message(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        asked = await room.member.slash(room.channel, "connect", service="spotify")
        room.env.inject_error("POST", "/webhooks/*", status=404, code=10015, message="Unknown Webhook")
        await room.browse(link_url(asked.response))
        (account,) = await room.runtime.accounts.of_user(room.member.id)
        message = room.member.user.dm_channel.last_message
        assert custom_ids(message) == [f"account:confirm:{account.id}", f"account:reject:{account.id}"]
        await room.member.user.click(message, custom_id=f"account:confirm:{account.id}")
        (account,) = await room.runtime.accounts.of_user(room.member.id)
        assert account.status is AccountStatus.CONNECTED


async def test_when_no_message_reaches_the_person_accounts_shows_the_question(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        asked = await room.member.slash(room.channel, "connect", service="spotify")
        room.env.inject_error("POST", "/webhooks/*", status=404, code=10015, message="Unknown Webhook")
        room.env.inject_error("POST", "/channels/*/messages", status=403, code=50007, message="Cannot send messages")
        status, _ = await room.browse(link_url(asked.response))
        assert status == 200
        (account,) = await room.runtime.accounts.of_user(room.member.id)
        shown = await room.member.slash(room.channel, "accounts")
        assert "waits for your confirmation" in said(shown.response).lower()
        await room.member.click(shown.response, custom_id=f"account:confirm:{account.id}")
        (account,) = await room.runtime.accounts.of_user(room.member.id)
        assert account.status is AccountStatus.CONNECTED


async def test_accounts_shows_what_is_allowed_and_when_the_consent_ends(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await room.link(room.member, Service.SPOTIFY)
        await room.link(room.member, Service.YOUTUBE)
        shown = await room.member.slash(room.channel, "accounts")
        assert shown.ephemeral
        text = said(shown.response)
        for words in (
            "Spotify: Alice Marlow",
            "YouTube: Alice Marlow",
            "read liked songs",
            "manage your YouTube",
            "ends",
        ):
            assert words in text


async def test_only_its_own_person_can_confirm_or_disconnect_an_account(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        account = await room.link(room.member)
        shown = await room.member.slash(room.channel, "accounts")
        stolen = f"account:disconnect:{account.id}"
        assert stolen in custom_ids(shown.response)
        mine = await room.link(room.admin)
        own = await room.admin.slash(room.channel, "accounts")
        assert stolen not in custom_ids(own.response)
        await room.runtime.accounts.disconnect(mine.id, room.admin.id)
        refused = await room.admin.click(own.response, custom_id=f"account:disconnect:{mine.id}")
        assert "disconnected already" in said(answer(refused))


async def test_disconnecting_pauses_the_mappings_and_says_so(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(2)
        shown = await room.admin.slash(room.channel, "accounts")
        spotify = next(
            one for one in await room.runtime.accounts.of_user(room.admin.id) if one.service is Service.SPOTIFY
        )
        gone = await room.admin.click(shown.response, custom_id=f"account:disconnect:{spotify.id}")
        assert "“Trip”" in said(gone.response)
        assert not (await room.runtime.mappings.find(room.guild.id, str(mapping.id))).enabled


async def test_forget_me_asks_once_more_and_then_deletes_the_logins(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        await room.link(room.member)
        shown = await room.member.slash(room.channel, "accounts")
        asked = await room.member.click(shown.response, custom_id=f"account:forget:{room.member.id}")
        assert "cannot be taken back" in said(answer(asked))
        await room.member.click(answer(asked), custom_id=f"account:forget-now:{room.member.id}")
        accounts = await room.runtime.accounts.of_user(room.member.id)
        assert not [one for one in accounts if one.status is AccountStatus.CONNECTED]


async def test_a_revoked_login_is_told_to_its_owner_once(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        mapping = await room.mapping(2)
        room.sandbox.world.revoke("alice", "spotify")
        room.sandbox.world.expire_tokens()
        room.clock.advance(timedelta(hours=2))
        refused = await room.moderator.slash(room.channel, "sync", mapping=str(mapping.id))
        assert "/connect" in said(answer(refused))
        await room.moderator.slash(room.channel, "sync", mapping=str(mapping.id))
        told = [said(message) for message in room.admin.user.dm_channel.history()]
        assert len([text for text in told if "Your Spotify account needs a new login" in text]) == 1


async def test_a_service_that_is_not_set_up_is_refused_in_a_sentence(tmp_path: Path) -> None:
    async with open_room(tmp_path, google_client_id=None, google_client_secret=None) as room:
        refused = await room.member.slash(room.channel, "connect", service="youtube")
        assert refused.ephemeral
        assert "YouTube" in said(answer(refused))
