"""The demo: the whole bot against a simulated Discord, Spotify and YouTube, without any setting."""

import asyncio
from pathlib import Path

from bot.demo.once import sync_once


def run_demo(*, once: bool, json_output: bool, port: int, seed: int, data: Path) -> int:
    """Run the demo in ``data`` and return the exit code. Raises UserMistake for what can be put right."""
    data.mkdir(parents=True, exist_ok=True)
    if once:
        return asyncio.run(sync_once(data=data, seed=seed, json_output=json_output))
    from bot.demo.show import show  # the simulated Discord is an extra, and --once does without it

    return asyncio.run(show(data=data, seed=seed, port=port, json_output=json_output))
