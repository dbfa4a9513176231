"""The sandbox as a process of its own: ``python -m bot.sandbox --data DIR --spotify-port P --google-port Q``."""

import argparse
import json
import signal
import sys
from pathlib import Path

from bot.sandbox.server import Sandbox


def main() -> int:
    """Serve until SIGINT or SIGTERM; the addresses are printed as one line of JSON when both services listen."""
    arguments = _arguments()
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # before any thread starts, so that all inherit it
    try:
        sandbox = Sandbox.open(**vars(arguments))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"The sandbox cannot start: {error}\n")
        return 1
    with sandbox:
        sys.stdout.write(json.dumps(_addresses(sandbox)) + "\n")
        sys.stdout.flush()
        signal.sigwait(signals)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bot.sandbox", description="Simulated Spotify and YouTube.")
    parser.add_argument(
        "--data", type=Path, help="folder that keeps the world; without it nothing outlives the process"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--spotify-port", type=int, default=0)
    parser.add_argument("--google-port", type=int, default=0)
    parser.add_argument("--settle-lag", type=float, default=0.0, help="seconds until readers see a write")
    parser.add_argument("--youtube-units", type=int, default=10_000)
    parser.add_argument("--youtube-searches", type=int, default=100)
    return parser.parse_args()


def _addresses(sandbox: Sandbox) -> dict[str, str]:
    return {
        "spotify_api_url": sandbox.spotify_api_url,
        "spotify_accounts_url": sandbox.spotify_accounts_url,
        "youtube_api_url": sandbox.youtube_api_url,
        "google_auth_url": sandbox.google_auth_url,
        "google_token_url": sandbox.google_token_url,
        "google_revoke_url": sandbox.google_revoke_url,
        "ytmusic_api_url": sandbox.ytmusic_api_url,
        "listenbrainz_api_url": sandbox.listenbrainz_api_url,
        "musicbrainz_api_url": sandbox.musicbrainz_api_url,
        "control_url": sandbox.control_url,
    }


if __name__ == "__main__":
    sys.exit(main())
