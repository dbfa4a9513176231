"""The rules: what differs, what matches, what happens next, and in which order it is done."""
