"""What the operations of the ledger are called by people: the calls of the services, by what they are good for."""

_NAMES = {
    "playlistItems.insert": "adds",
    "playlistItems.delete": "removals",
    "playlistItems.update": "moves",
    "playlistItems.list": "reading playlists",
    "playlists.list": "looking for changes",
    "playlists.insert": "new playlists",
    "playlists.update": "renames",
    "channels.list": "logins",
    "videos.list": "lengths of videos",
    "search.list": "searches",
    "search.text": "searches",
    "search.isrc": "searches by ISRC",
    "tracks.batch": "tracks by id",
    "tracks.get": "tracks by id",
    "playlist": "looking for changes",
    "playlist.items.list": "reading playlists",
    "playlist.items.add": "adds",
    "playlist.items.remove": "removals",
    "playlist.items.reorder": "moves",
    "playlist.change_details": "renames",
    "me": "logins",
    "me.playlists": "looking for changes",
    "me.playlists.create": "new playlists",
    "elsewhere": "spent elsewhere",
}


def name(operation: str) -> str:
    """``adds`` for ``playlistItems.insert``; an operation that has no words keeps its own name."""
    return _NAMES.get(operation, operation)
