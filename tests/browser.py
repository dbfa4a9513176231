"""A headless chromium, driven over its DevTools protocol: opens a page, waits for it, photographs it."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

LARGEST = 50_000_000  # bytes of the largest message: a photograph
PATIENCE, PAUSE = 20.0, 0.25  # seconds
OFTEN = 5  # so many looks in a row have to find a page ready


class Browser:
    """One window of a size in CSS pixels, each drawn as ``scale`` dots."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, size: tuple[int, int], scale: float) -> None:
        self._socket = socket
        self._size = size
        self._scale = scale
        self._calls = 0

    async def photograph(self, url: str, ready: str) -> bytes:
        """The page at ``url`` as PNG, once the JavaScript expression ``ready`` stays true. Raises TimeoutError."""
        target = (await self._call("Target.createTarget", url=url))["targetId"]
        session = (await self._call("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        width, height = self._size
        await self._call(
            "Emulation.setDeviceMetricsOverride",
            session, width=width, height=height, deviceScaleFactor=self._scale, mobile=False,
        )  # fmt: skip
        async with asyncio.timeout(PATIENCE):
            seen = 0
            while seen < OFTEN:
                await asyncio.sleep(PAUSE)
                answer = await self._call("Runtime.evaluate", session, expression=ready, returnByValue=True)
                seen = seen + 1 if answer["result"].get("value") is True else 0
        picture = await self._call("Page.captureScreenshot", session, format="png")
        await self._call("Target.closeTarget", targetId=target)
        return base64.b64decode(picture["data"])

    async def _call(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        self._calls += 1
        message = {"id": self._calls, "method": method, "params": params}
        await self._socket.send_json(message if session is None else message | {"sessionId": session})
        while True:
            answer = await self._socket.receive_json()
            if answer.get("id") == self._calls:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                result: dict[str, Any] = answer["result"]
                return result


@asynccontextmanager
async def open_browser(program: str, folder: Path, size: tuple[int, int], scale: float) -> AsyncIterator[Browser]:
    """Start ``program`` with its profile in ``folder``."""
    process = await asyncio.create_subprocess_exec(
        program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-port=0",
        f"--user-data-dir={folder}", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with (
            aiohttp.ClientSession() as web,
            web.ws_connect(await _address(process), max_msg_size=LARGEST) as socket,
        ):
            yield Browser(socket, size, scale)
    finally:
        process.terminate()
        await process.wait()


async def _address(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    async with asyncio.timeout(PATIENCE):
        while line := await process.stderr.readline():
            _, found, address = line.decode().partition("DevTools listening on ")
            if found:
                return address.strip()
    raise RuntimeError("The browser ended before it could be used.")
