"""The words by which titles say which recording they are, in the common languages, and the words that say nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field

# What one side says and the other does not makes a different recording. Each tag: the words for it; several words
# form a phrase. A word stands here only if it is rarely part of what a song is called beside its title.
_TAGS: dict[str, str] = {
    "live": "live, en vivo, ao vivo, en directo, en direct, dal vivo, en concert, in concert, in concerto, en concierto, "
    "unplugged, mtv unplugged, na zywo, canli, konser, концерт, вживую, ライブ, ライヴ, 라이브, 现场, 現場, 演唱会, 演唱會, "
    "לייב, אנפלאגד, הופעה, مباشر, حفلة, tiny desk, tour version, live session, live sessions, concert, livestream, "
    "kennedy center honors, elo, uzivo, ζωντανα, แสดงสด",
    "remix": "remix, rmx, remixed, remixes, remezcla, ремикс, リミックス, 리믹스, 混音, רמיקס, ريمكس, bootleg, flip, rework, "
    "reworked, refix, vip, vip mix, club mix, dub mix, dance mix, re amp, re edit, mix, dub, ultramix",
    "extended": "extended, extended mix, extended version, extended edit, 12 inch, 12 version, 12 mix, maxi version, long version",
    "acoustic": "acoustic, acoustique, acustico, acustica, akustik, акустика, アコースティック, 어쿠스틱, stripped, "
    "piano version, piano solo, guitar version, orchestral, orchestral version, symphonic, string version, "
    "a cappella, acapella, acappella, campfire version",
    "instrumental": "instrumental, instrumentals, инструментал, インスト, inst, mr removed, backing track, no vocals, "
    "off vocal, minus one, минус, playback, base musical, 반주, 伴奏, אינסטרומנטלי, instru, background score",
    "karaoke": "karaoke, караоке, カラオケ, 노래방, 卡拉ok, קריוקי, sing along version, lower key, higher key, "
    "originally performed by, made famous by, in the style of, in style of",
    "cover": "cover, covers, coverversion, covered by, кавер, カバー, 커버, 翻唱, 歌ってみた, 弾いてみた, 叩いてみた, קאבר, كوفر, "
    "covering, reprise cover, piano cover, guitar cover, drum cover, bass cover, violin cover, versao cover",
    "tribute": "tribute, tribute to, tributo, hommage, tribute band",
    "8-bit": "8 bit, 8bit, 16 bit, 16bit, chiptune, emulation",
    "sped up": "sped up, speed up, spedup, speedup, sped, faster, fast version, acelerado, acelerada, ускоренная, "
    "спид ап, speed version",
    "slowed": "slowed, slowed down, slow version, slowed reverb, slowed n reverb, slowed version, rallentato, "
    "замедленная, slow down version, chopped, screwed, chopped screwed, reverb",
    "nightcore": "nightcore, daycore",
    "8d": "8d, 8d audio, 16d, 9d, 3d audio",
    "bass boosted": "bass boosted, bassboosted, boosted, bass boost",
    "muffled": "muffled, from another room, in another room, in bathroom",
    "lo-fi": "lofi, lo fi, chillhop",
    "mashup": "mashup, mash up, mashups, vs",
    "medley": "medley, megamix, potpourri, pot pourri, popurri, попурри, mixtape, dj set, nonstop, non stop",
    "demo": "demo, demos, demo version, demo take, rough mix, outtake, out take, alternate take, alternative take, "
    "early version, first take, rehearsal, демо, デモ, maqueta, take 1, take 2",
    "reprise": "reprise, interlude version, finale, outro version, intro version",
    "re-recording": "taylors version, re recorded, rerecorded, re recording, rerecording, re record, new recording, "
    "new version, newly recorded, nueva version, neue version, neuaufnahme, nova versao, regrabacion",
    "kids": "kids version, kidz bop, kidz version, for kids, lullaby, lullaby version, para ninos, fur kinder, "
    "kinderversion, nursery version",
    "full album": "full album, full ep, album completo, disco completo, cd completo, album complet, whole album, "
    "complete album, entire album, full soundtrack, full ost, полный альбом, フルアルバム, dvd completo, full concert, "
    "greatest hits, best songs, playlist, compilation, full mixtape, track by track, album trailer",
    "loop": "loop, looped, on loop, 1 hour, one hour, 10 hours, 10 hour, 2 hours, 3 hours, 1 hora, 1 час, 1時間, "
    "1시간, 1h, 10h, hour version, hour loop",
    "type beat": "type beat, type beats, typebeat, remake, fl studio",
    "reaction": "reaction, reacts, reacting, reaccion, react, review, parody, parodia, parodie, пародия",
    "lesson": "tutorial, lesson, how to play, guitar lesson, drumless, chords, tabs, tab, bass tabs, karaoke lesson",
    "teaser": "teaser, trailer, snippet, preview, sneak peek, unveil, highlight medley, spoiler, coming soon, "
    "behind scenes, making of, making film, bts of, interview, episode, announcement, documentary",
    "duet": "duet, duet version, dueto, duett",
    "ringtone": "ringtone, klingelton, whatsapp status, status video",
}  # fmt: skip

# Shorter or mastered otherwise, but the same performance: no difference by themselves; the length decides.
_SAME = (
    "remaster, remastered, remasterizado, remasterizada, remasterise, remasterisee, remastering, remasterd, "
    "digitally remastered, digital remaster, mix master, master, mastered, mono, mono version, stereo, stereo version, "
    "stereo mix, mono mix, radio edit, radio mix, radio version, single edit, single version, single mix, album version, album edit, "
    "album mix, edit, original, original version, original mix, original recording, original song, explicit, explicit version, clean, clean version, "
    "dirty, censored, uncensored, uncut, main, main version, video version, official version, bonus track, bonus, "
    "deluxe, deluxe edition, deluxe version, expanded edition, anniversary edition, special edition, single, album, "
    "lp version, 7 version, 7 inch, ремастер, リマスター, 리마스터, full version, full song, full length, audio only"
)  # fmt: skip

# Words of the upload, not of the song.
_NOISE = (
    "official, oficial, officiel, officielle, offiziell, offizielle, offizielles, ufficiale, resmi, официальный, официальное, offical, "
    "oficjalny, oficjalne, "
    "video, videos, videoclip, videoclipe, videoklip, clip, clipe, klip, клип, видео, mv, m v, pv, audio, music video, musikvideo, "
    "hudobni spot, muzik video, video musical, lyric, lyrics, lyrical, letra, con letra, letras, legendado, songtext, текст, paroles, "
    "testo, tekst, liryk, sub, subs, subtitulado, sub espanol, subtitulos, eng sub, english subtitles, visualizer, visualiser, visualizador, visual, "
    "hd, hq, 4k, 8k, 1080p, 720p, uhd, full hd, high quality, better quality, upscaled, closed captioned, cc, "
    "animated, animated video, short film, film version, storyboard film, static video, art track, color coded, pseudo video, "
    "dir, directed, watch, listen, new, nuevo, premiere, out now, free download, download, ncs release, "
    "on spotify apple, on spotify, on itunes, now on, official channel, topic, vevo, prod, performance video, dance video, dance practice, "
    "choreography video, dance along, hit song, latest, latest songs, best, song, songs, full video, "
    "ミュージックビデオ, 公式, 뮤직비디오, 가사, 공식, 官方, 官方版, 歌詞, 歌词, 完整版, 動態歌詞, เนื้อเพลง, כתוביות, הקליפ הרשמי, קליפ רשמי, מילים, كلمات, "
    "فيديو كليب, حصريا, الفيديو, كامل, hd video, in hd, w lyrics, con testo, com letra, text"
)  # fmt: skip

_LANGUAGES = (
    "english, spanish, espanol, espanola, ingles, japanese, korean, chinese, mandarin, german, deutsch, deutsche, french, "
    "francais, francaise, italian, italiano, italiana, portuguese, portugues, russian, hindi, tamil, telugu, punjabi, "
    "arabic, turkish, turkce, hebrew, polish, dutch, swedish, thai, 日本語, 한국어, 中文, spanglish, castellano"
)
_VERSION = frozenset(
    "version versao versione versie ver versiya fassung версия 版 バージョン 버전 edition mix edit remix take".split()
)
_GUEST = frozenset("feat ft featuring feature featured mit".split())  # "mit": YouTube Music's German for "feat."
_GUEST_IN_ASIDE = frozenset("with con avec com duet duetto w vs x".split())
_CREDIT = frozenset("prod produced producer produzido dir directed by".split())
_CONTEXT = frozenset("from aus ost soundtrack film movie pelicula filme bso theme score album video".split())


def _phrases() -> dict[str, list[tuple[tuple[str, ...], str]]]:
    table: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    sources = [*_TAGS.items(), ("same", _SAME), ("noise", _NOISE)]
    for tag, listed in sources:
        for phrase in listed.split(", "):
            words = tuple(phrase.split())
            table.setdefault(words[0], []).append((words, tag))
    for language in _LANGUAGES.split(", "):
        for word in ("version", "ver", "versao", "versione", "版"):
            table.setdefault(language, []).append(((language, word), f"language:{language[:4]}"))
            table.setdefault(word, []).append(((word, language), f"language:{language[:4]}"))
            table.setdefault(word, []).append(((word, "en", language), f"language:{language[:4]}"))
            table.setdefault(word, []).append(((word, "in", language), f"language:{language[:4]}"))
    for options in table.values():
        options.sort(key=lambda option: -len(option[0]))  # the longest phrase wins: "mix master" before "mix"
    return table


_TABLE = _phrases()
_LANGUAGE_NAMES = frozenset(_LANGUAGES.split(", "))
QUALIFIED = frozenset({"remix", "version", "re-recording"})  # these differ by whose they are: "Galantis Remix"


@dataclass(slots=True)
class Said:
    """What a group of words says beside the title."""

    tags: dict[str, tuple[str, ...]] = field(default_factory=dict)  # tag → whose: ("galantis",) for a remix
    rest: list[str] = field(default_factory=list)  # words that nothing explains
    guests: list[str] = field(default_factory=list)  # the words after "feat."
    context: bool = False  # names a film, game or album: "From …", "… Soundtrack"
    same: bool = False  # remaster, radio edit: the same performance


def said(words: Sequence[str], *, aside: bool) -> Said:
    """Read one group of words. ``aside``: it stands apart from the title, so that "with X" names guests."""
    result = Said()
    plain: list[str] = []
    years: list[str] = []
    vague = False
    at = 0
    while at < len(words):
        word = words[at]
        options = _TABLE.get(word)
        if options:
            found = next((o for o in options if words[at : at + len(o[0])] == list(o[0])), None) if options else None
            if found is not None:
                phrase, tag = found
                at += len(phrase)
                if tag == "same":
                    result.same = True
                elif tag != "noise":
                    result.tags[tag] = ()
                continue
        if word in _GUEST or (aside and word in _GUEST_IN_ASIDE and at == 0):
            result.guests, tail = _guests(words[at + 1 :])
            words, at = tail, 0
            continue
        if word in _CREDIT and (word != "by" or not plain):
            break
        if word in _CONTEXT:
            result.context = True
        elif word in _VERSION:
            vague = True
        elif len(word) == 4 and word.isdigit() and word[:2] in ("19", "20"):
            years.append(word)
        else:
            plain.append(word)
        at += 1
    _settle(result, plain, years, vague=vague, aside=aside)
    return result


def _guests(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names up to the next word of the upload or version; and what follows."""
    for at, word in enumerate(words):
        options = _TABLE.get(word)
        if (options and any(list(words[at : at + len(p)]) == list(p) for p, _ in options)) or word in _CREDIT:
            return list(words[:at]), list(words[at:])
    return list(words), []


def _settle(result: Said, plain: list[str], years: list[str], *, vague: bool, aside: bool) -> None:
    """Give leftover words to the tag that they qualify: "Galantis" to remix, "Wembley 1986" to live."""
    if "remix" in result.tags and not result.same:
        result.tags["remix"] = tuple(w for w in plain if w not in _VERSION) + tuple(years)
        plain = []
    elif result.tags or result.same:
        if aside:
            plain = []  # "Live at Wembley", "Originally performed by …": the tag has said it
        if result.same:
            result.tags.pop("remix", None)  # "2012 Mix/Master", "Original Mix"
    elif vague and (plain or years):
        language = next((w for w in plain if w in _LANGUAGE_NAMES), None)
        if language:
            result.tags[f"language:{language[:4]}"] = ()
        else:
            result.tags["version"] = tuple(plain) + tuple(years)
        plain = []
    elif aside and len(plain) == 1 and plain[0] in _LANGUAGE_NAMES:
        result.tags[f"language:{plain[0][:4]}"] = ()
        plain = []
    if not plain and not aside and years and not (result.tags or result.same or vague):
        plain = years
    result.rest = plain
