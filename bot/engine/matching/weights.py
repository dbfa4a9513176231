"""Every number of the matcher in one table, each with its reason."""

from bot.model.matching import MatchPolicy

# What the total is made of. The title says most; the artist tells songs of one name apart; the length tells
# recordings apart, which is why it is a gate as well; the rest only orders candidates that are otherwise equal.
TITLE, ARTIST, LENGTH, EXTRAS = 0.50, 0.30, 0.15, 0.05
CERTAIN = 1.0  # the total of the same id or ISRC; the parts of a score stay below

EXTRAS_MOST = 1.4  # a little more than all of them together, so that no sum of likenesses looks like certainty

# How good a title is, by how it was found.
EXACT = 1.0
JOINED = 0.99  # "KICK BACK" and "KICKBACK": the same letters
BRACKET_APART = 0.98  # one side leaves a subtitle out; titles on YouTube often do
SUFFIXED = 0.99  # a label's or a film's name after the title
EXTENDED = 0.80  # more words touch the title: then it is another one
LATIN = 0.96  # the same in Latin letters: "Камин" and "Kamin"
READING = 0.93  # a Japanese title and its romaji: the kana agree, the kanji cannot be checked
NEAR = 0.90  # at most this for titles that are only similar: one letter can be another song ("Dañado", "Dañada")
NEAR_RATIO = 86.0  # rapidfuzz ratio from which titles count as similar; below, typos become other words
LATIN_RATIO = 88.0  # how alike two Latin readings of one name are: romanisations differ by a letter or two
HOPELESS_RATIO = 55.0  # below this, not even numbers written otherwise bring a title back

# How good the artist is, by where the name was found.
NAMED = 1.0  # among the candidate's artists, or the channel is the artist's own
LEADING = 0.95  # the title names the artist first: a label's or a person's upload
BESIDE = 0.90  # the title names the artist beside others, on the channel of one of those
GUEST = 0.75  # the title names the artist only after another who owns neither channel nor song
UNKNOWN = 0.50  # nothing is said about who made it

# Length gaps in seconds, candidate minus track. Two masters of a recording differ by a second or two, fades by three;
# a long track by a little more (a share of it). An artist's own video may have an intro or an outro.
SURE_GAP = 3.0
SURE_SHARE = 0.012
VIDEO_GAP_SHORT, VIDEO_GAP_LONG = -5.0, 20.0
UPLOAD_GAP = 2.0  # somebody's upload of the audio has its length; what is longer has something added
# A video from somebody's playlist, sought on Spotify: only which song it holds is asked. What calls itself a lyric
# video begins with a screen of its own (and YouTube rounds to whole seconds); an "official video" has scenes.
DRESSED_GAP, DRESSED_GAP_LONG = 3.5, 26.0
OPEN_GAP, OPEN_SHARE = 15.0, 0.05  # beyond "sure" and within this: a person should look
OPEN_VIDEO_GAP = 90.0  # official videos with scenes around the song
LENGTH_ZERO = 30.0  # the gap at which the length's part of the score is nothing
LENGTH_UNKNOWN = 0.6  # the length's part when it cannot be compared

GUEST_NAMED = 0.3  # of the extras: the upload that names the guest is rather the recording with the guest
OWNER_SAME = 0.5  # share of words in which the names of two remixers must agree

# Verdicts: what the total must reach when no gate failed, and when only open questions remain.
ACCEPT_TOTAL = {
    MatchPolicy.EXACT: 0.93,
    MatchPolicy.BALANCED: 0.85,  # all gates passed with an unknown length gives 0.90
    MatchPolicy.BEST_EFFORT: 0.75,
}
REVIEW_TOTAL = 0.60  # below, a person would only be bored

# Gates that close for good: another song, another performer, another recording. All others ask a person.
CLOSING = frozenset({"title", "artist", "length", "cut", "part", "version", "unavailable"})
# When an artist has at least this many other lengths of a song in the same list, there are several recordings of it,
# and a length alone does not tell which one is meant.
SEVERAL = 2
SAME_ALBUM = 0.85  # likeness from which two album names are one

# Open questions that "best effort" answers with yes: the song is very likely the one, only its dress is not proven.
LIKELY = frozenset({"subtitle", "guest", "version-unclear", "spelling", "length-near"})
