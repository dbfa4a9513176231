"""The program that ``tests.benchmarks.router`` measures: the bot without Discord, and without the simulated services.

``python -m tests.benchmarks.router_program DIR`` routes the one base of a guild in DIR for each guild on its input, and
answers with how many seconds that took and the peak of its memory so far.
"""

import asyncio
import io
import json
import resource
import sys
import time
from pathlib import Path

from bot.config import settings_from
from bot.logs.setup import open_logs
from bot.runtime import open_runtime


async def work(folder: Path) -> None:
    settings = settings_from(json.loads((folder / "settings.json").read_text()), key_file=folder / "secret.key")
    with open_logs(level="error", secrets=settings.secret_values, stream=io.StringIO()) as logs:
        async with open_runtime(settings, logs) as runtime:
            while guild := (await asyncio.to_thread(sys.stdin.readline)).strip():
                (base,) = await runtime.bases.bases(int(guild))
                began = time.perf_counter()
                await runtime.router.run(base.guild_id, base.id, base.created_by)
                seconds = time.perf_counter() - began
                await runtime.executor.drain()
                await asyncio.sleep(2 * runtime.settings.settle_seconds)
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                print(json.dumps({"seconds": seconds, "peak_mb": peak}), flush=True)


if __name__ == "__main__":
    asyncio.run(work(Path(sys.argv[1])))
