"""The colours of embeds, by what they tell."""

GOOD = 0x2E9E6B
WORKING = 0x5865F2
CAUTION = 0xE3A008
BAD = 0xD83C3E
QUIET = 0x80848E
