"""Takes docs/demo.png, the README's picture, from the running demo with Debian's chromium.

``python -m tests.pictures [FILE]`` starts the demo in a folder of its own, waits until a sync is well under way, and
photographs the channel in a headless browser.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image  # matplotlib brings it along

WIDTH, HEIGHT = 1000, 1600  # of the browser's window, in CSS pixels
CHANNEL = (256, 128, 256 + 530, HEIGHT - 140)  # left, top, right, bottom: the page without the tools around the channel
SCALE = 1.5
UNDER_WAY_SECONDS = 25.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.pictures", description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=Path(__file__).parents[1] / "docs" / "demo.png")
    file: Path = parser.parse_args().file
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        sys.exit("chromium is needed; on Debian and Ubuntu: apt install chromium")
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "page.png"
        _photograph(browser, Path(folder), whole)
        file.parent.mkdir(exist_ok=True)
        with Image.open(whole) as page:
            channel = page.crop(tuple(round(edge * SCALE) for edge in CHANNEL))  # type: ignore[arg-type]
            channel.quantize(256).save(file, optimize=True)
    print(f"{file} ({file.stat().st_size / 1024:.0f} KiB)")
    return 0


def _photograph(browser: str, folder: Path, file: Path) -> None:
    command = [sys.executable, "-m", "bot", "demo", "--json", "--port", "0", "--data", str(folder / "demo")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        try:
            url = json.loads(demo.stdout.readline())["url"]
            time.sleep(UNDER_WAY_SECONDS)
            _screenshot(browser, folder, url, file)
        finally:
            demo.terminate()


def _screenshot(browser: str, folder: Path, url: str, file: Path) -> None:
    options = [
        "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={folder / 'browser'}",
        f"--window-size={WIDTH},{HEIGHT}", f"--force-device-scale-factor={SCALE}", "--virtual-time-budget=3000",
    ]  # fmt: skip
    subprocess.run([browser, *options, f"--screenshot={file}", url], check=True, capture_output=True, timeout=60)


if __name__ == "__main__":
    raise SystemExit(main())
