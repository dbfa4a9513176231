"""What titles say beside the song's name, in the common languages: lists of phrases, separated by commas."""

# What one side says and the other does not makes another recording. A phrase stands here only if it is rarely a part
# of what a song is called; words that are both need company ("fast version", not "fast").
RECORDINGS: dict[str, str] = {
    "live": """
        live, en vivo, ao vivo, en directo, en direct, dal vivo, en concert, in concert, in concerto, en concierto,
        concert, unplugged, na żywo, canlı, konser, концерт, вживую, ライブ, ライヴ, 라이브, 现场, 現場, 演唱会,
        演唱會, לייב, אנפלאגד, הופעה, مباشر, حفلة, แสดงสด, uživo, ζωντανά, tiny desk, tour version, livestream,
        performs live""",
    "remix": """
        remix, rmx, remixed, remixes, remezcla, ремикс, リミックス, 리믹스, 混音, רמיקס, ريمكس, bootleg, flip,
        rework, reworked, refix, vip, vip mix, club mix, dub mix, dance mix, re amp, re edit, mix, dub, ultimix""",
    "session": "session, sessions",
    "extended": """
        extended, extended mix, extended version, extended edit, extended remix, 12 inch, 12 version, 12 mix,
        maxi version, long version""",
    "acoustic": """
        acoustic, acoustique, acústico, acústica, akustik, akustisch, акустика, アコースティック, 어쿠스틱,
        stripped, piano version, piano solo, guitar version, orchestral, orchestral version, symphonic,
        symphonic version, string version, string quartet, a cappella, acapella, acappella, a capella,
        campfire version""",
    "instrumental": """
        instrumental, instrumentals, инструментал, インスト, 伴奏, 반주, אינסטרומנטלי, instru, backing track,
        no vocals, off vocal, minus one, минус, playback, base musical, background score""",
    "karaoke": """
        karaoke, караоке, カラオケ, 노래방, 卡拉ok, קריוקי, sing along version, lower key, higher key,
        originally performed by, made famous by, in the style of, in style of""",
    "cover": """
        cover, covers, coverversion, covered by, кавер, カバー, 커버, 翻唱, 歌ってみた, 弾いてみた, 叩いてみた,
        קאבר, versão cover, piano cover, guitar cover, drum cover, bass cover, violin cover, cover mix""",
    "tribute": "tribute, tribute to, tributo, tributo a, hommage, hommage à, tribute band",
    "8-bit": "8 bit, 8bit, 16 bit, 16bit, chiptune",
    "sped up": """
        sped up, speed up, spedup, speedup, faster, fast version, speed version, acelerado, acelerada, ускоренная,
        спид ап""",
    "slowed": """
        slowed, slowed down, slow version, slowed reverb, slowed n reverb, slowed version, rallentato, замедленная,
        chopped screwed, chopped n screwed, reverb""",
    "nightcore": "nightcore, daycore",
    "8D": "8d, 8d audio, 9d, 16d, 3d audio",
    "bass-boosted": "bass boosted, bassboosted, bass boost",
    "muffled": "muffled, from another room, in another room, in a bathroom, empty arena, empty stadium, empty mall",
    "retuned": "432 hz, 432hz, 440 hz, 440hz, 528 hz, 528hz, pitched, pitched up, pitched down, reversed, backwards",
    "single tracks": """
        vocals only, only vocals, isolated vocals, voice only, bass only, isolated bass, drums only, isolated drums,
        guitar only, isolated guitar, multitrack, stems""",
    "lo-fi": "lofi, lo fi, chillhop",
    "mashup": "mashup, mash up, mashups",
    "medley": "medley, megamix, potpourri, pot pourri, popurrí, попурри, mixtape, dj set, nonstop, non stop",
    "demo": """
        demo, demos, demo version, demo take, rough mix, outtake, out take, alternate take, alternative take,
        early version, first take, rehearsal, демо, デモ, maqueta, take 1, take 2, take 3""",
    "reprise": "reprise, finale, overture",
    "re-recorded": """
        taylors version, re recorded, rerecorded, re recording, rerecording, new recording, newly recorded,
        new version, nueva versión, neue version, neuaufnahme, nova versão, regrabación""",
    "kids'": """
        kids version, kidz version, kidz bop, lullaby version, lullaby rendition, for kids, para niños, für kinder,
        kinderversion""",
    "full album": """
        full album, full ep, álbum completo, disco completo, cd completo, album complet, whole album,
        complete album, entire album, full soundtrack, full ost, полный альбом, フルアルバム, dvd completo,
        full concert, full mixtape, greatest hits, best songs, playlist, compilation""",
    "loop": """
        loop, looped, on loop, 1 hour, one hour, 10 hours, 10 hour, 2 hours, 3 hours, 1 hora, 1 час, 1時間, 1시간,
        1h, 10h, hour version, hour loop""",
    "type beat": "type beat, type beats, typebeat, fl studio remake",
    "reaction": "reaction, reacts, reacting, reacción, parody, parodia, parodie, пародия",
    "lesson": "tutorial, guitar lesson, piano lesson, how to play, drumless, chords, tabs, bass tabs",
    "teaser": """
        teaser, trailer, snippet, preview, sneak peek, spoiler, coming soon, behind the scenes, making of,
        making film, interview, announcement, documentary""",
    "duet": "duet, duet version, dueto, duett",
    "ringtone": "ringtone, klingelton, whatsapp status",
}

# The same performance, mastered or cut otherwise: no difference by itself; the length tells a cut.
SAME_RECORDING = """
    remaster, remasters, remastered, remasterizado, remasterizada, remasterisé, remasterisée, remastering,
    remasterd, digitally remastered, digital remaster, mix master, master, mastered, ремастер, リマスター, 리마스터,
    mono, mono version, mono mix, stereo, stereo version, stereo mix, radio edit, radio mix, radio version,
    radio cut, single edit, single version, single mix, album version, album edit, album mix, edit, original,
    original version, original mix, original recording, original song, main version, mtv version, video version,
    lp version, full version, full song, full length, explicit, explicit version, clean, clean version, dirty,
    dirty version, censored, uncensored, uncut, bonus track, bonus, deluxe, deluxe edition, deluxe version,
    expanded edition, anniversary edition, special edition, 7 version, 7 inch, album v
"""

# What is said of the upload or of the pictures, not of the sound.
UPLOAD = """
    official, official version, officially, oficial, officiel, officielle, offiziell, offizielle, offizielles,
    ufficiale, resmi, oficjalny, oficjalne, oficjalna, официальный, официальное, offical, offcial, officail, video,
    videos, videoclip, videoclipe, videoklip, video clip, clip, clipe, klip, teledysk, клип, видео, mv, m v, pv,
    audio, music video, musikvideo, video musical, müzik video, hudební klip, lyric, lyrics, lyrical, lyric video,
    letra, con letra, com letra, letras, legendado, songtext, текст, paroles, testo, con testo, tekst, with lyrics,
    w lyrics, on screen, subtitulado, sub español, subtítulos, eng sub, sub eng, english subtitles, english sub,
    visualizer, visualiser, visualizador, visual, hd, hq, 4k, 8k, 1080p, 720p, uhd, full hd, high quality,
    better quality, hd video, hd quality, in hd, upscaled, 4k upgrade, hd upgrade, upgrade, closed captioned,
    animated, animated video, short film, film version, storyboard film, static video, art track, color coded,
    pseudo video, performance video, dance video, dance practice, dance performance, choreography video,
    choreography, director's cut, watch, listen, new, nuevo, premiere, world premiere, out now, free download,
    download, ncs release, on spotify and apple, on spotify, on itunes, now on, official channel, topic, vevo,
    hit song, latest, best, song, songs, full video, full audio, audio only, title track, cast, original cast,
    ミュージックビデオ, 公式, 뮤직비디오, 가사, 공식, 官方, 官方版, 歌詞, 歌词, 完整版, 動態歌詞, เนื้อเพลง, כתוביות,
    הקליפ הרשמי, קליפ רשמי, מילים, كلمات, فيديو كليب, حصريا, الفيديو
"""

LANGUAGES = """
    english, inglés, spanish, español, española, castellano, spanglish, japanese, 日本語, korean, 한국어, chinese,
    mandarin, cantonese, 中文, german, deutsch, deutsche, french, français, française, italian, italiano, italiana,
    portuguese, português, russian, ukrainian, hindi, tamil, telugu, punjabi, bhojpuri, kannada, malayalam, marathi,
    bengali, arabic, turkish, türkçe, hebrew, polish, dutch, swedish, thai, filipino, indonesian, vietnamese
"""

# "… version": whose or which stands beside it.
VERSION = "version versão versione versie ver versiya fassung версия 版 バージョン 버전 wersja rendition"
GUEST = "feat ft featuring feature mit"  # "mit" is YouTube Music's German "feat."
GUEST_APART = "with con avec com duet duetto w"  # these name guests only where they stand apart from the title
CREDIT = "prod produced producer produzido dir directed"
CONTEXT = "from aus ost soundtrack film movie película filme theme score"
