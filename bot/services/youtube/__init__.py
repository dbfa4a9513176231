"""YouTube, through Google's API client; its search optionally through ytmusicapi."""
