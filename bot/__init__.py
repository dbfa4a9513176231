"""Crossfade: keeps playlists in step between Spotify and YouTube, driven from Discord."""
