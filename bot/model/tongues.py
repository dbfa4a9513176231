"""Scripts and languages by name: what a rule may ask for, and which script each language is written in."""

from collections.abc import Mapping

# Named as Unicode names their letters, in lower case. Kana are "japanese"; Chinese characters alone are "han", because
# they may be Chinese or Japanese. "korean" is Hangul.
SCRIPTS: frozenset[str] = frozenset(
    "latin japanese han korean cyrillic greek arabic hebrew thai devanagari bengali tamil telugu gujarati gurmukhi "
    "kannada malayalam sinhala khmer lao myanmar tibetan ethiopic armenian georgian mongolian".split()
)
SCRIPT_NAMES: Mapping[str, str] = {
    **{name: name for name in SCRIPTS},
    "hiragana": "japanese", "katakana": "japanese", "kana": "japanese", "kanji": "han", "chinese": "han",
    "hangul": "korean", "russian": "cyrillic", "burmese": "myanmar", "roman": "latin",
}  # fmt: skip

# Code → name, and the scripts that the language has as its own. Any language may also be written in Latin letters.
_LANGUAGES: Mapping[str, tuple[str, str]] = {
    "am": ("amharic", "ethiopic"), "ar": ("arabic", "arabic"), "be": ("belarusian", "cyrillic"),
    "bg": ("bulgarian", "cyrillic"), "bn": ("bengali", "bengali"), "bo": ("tibetan", "tibetan"),
    "ca": ("catalan", ""), "cs": ("czech", ""), "da": ("danish", ""), "de": ("german", ""), "el": ("greek", "greek"),
    "en": ("english", ""), "es": ("spanish", ""), "et": ("estonian", ""), "fa": ("persian", "arabic"),
    "fi": ("finnish", ""), "fr": ("french", ""), "ga": ("irish", ""), "gu": ("gujarati", "gujarati"),
    "he": ("hebrew", "hebrew"), "hi": ("hindi", "devanagari"), "hr": ("croatian", ""), "hu": ("hungarian", ""),
    "hy": ("armenian", "armenian"), "id": ("indonesian", ""), "is": ("icelandic", ""), "it": ("italian", ""),
    "ja": ("japanese", "japanese han"), "ka": ("georgian", "georgian"), "kk": ("kazakh", "cyrillic arabic"),
    "km": ("khmer", "khmer"), "kn": ("kannada", "kannada"), "ko": ("korean", "korean han"), "la": ("latin", ""),
    "lo": ("lao", "lao"), "lt": ("lithuanian", ""), "lv": ("latvian", ""), "mk": ("macedonian", "cyrillic"),
    "ml": ("malayalam", "malayalam"), "mn": ("mongolian", "cyrillic mongolian"), "mr": ("marathi", "devanagari"),
    "ms": ("malay", "arabic"), "my": ("burmese", "myanmar"), "ne": ("nepali", "devanagari"), "nl": ("dutch", ""),
    "no": ("norwegian", ""), "pa": ("punjabi", "gurmukhi arabic"), "pl": ("polish", ""), "pt": ("portuguese", ""),
    "ro": ("romanian", ""), "ru": ("russian", "cyrillic"), "si": ("sinhala", "sinhala"), "sk": ("slovak", ""),
    "sl": ("slovenian", ""), "sq": ("albanian", ""), "sr": ("serbian", "cyrillic"), "sv": ("swedish", ""),
    "sw": ("swahili", ""), "ta": ("tamil", "tamil"), "te": ("telugu", "telugu"), "th": ("thai", "thai"),
    "ti": ("tigrinya", "ethiopic"), "tl": ("tagalog", ""), "tr": ("turkish", ""), "uk": ("ukrainian", "cyrillic"),
    "ur": ("urdu", "arabic"), "vi": ("vietnamese", ""), "zh": ("chinese", "han"),
}  # fmt: skip
LANGUAGES: frozenset[str] = frozenset(_LANGUAGES)
LANGUAGE_NAMES: Mapping[str, str] = {
    **{code: code for code in _LANGUAGES},
    **{name: code for code, (name, _) in _LANGUAGES.items()},
    "jp": "ja", "kr": "ko", "farsi": "fa", "mandarin": "zh", "cantonese": "zh", "filipino": "tl",
}  # fmt: skip
OWN_SCRIPTS: Mapping[str, frozenset[str]] = {
    code: frozenset(scripts.split()) for code, (_, scripts) in _LANGUAGES.items()
}
# Scripts that tell the language of a title (the few Yiddish ones count as Hebrew).
TELLING: Mapping[str, str] = {
    "japanese": "ja", "korean": "ko", "greek": "el", "hebrew": "he", "thai": "th", "tamil": "ta", "telugu": "te",
    "gujarati": "gu", "gurmukhi": "pa", "kannada": "kn", "malayalam": "ml", "sinhala": "si", "khmer": "km",
    "lao": "lo", "myanmar": "my", "armenian": "hy", "georgian": "ka",
}  # fmt: skip
