"""Real words in each of the 102 languages of FLEURS, in the language's own script."""

from __future__ import annotations

from langcodes import Language as Code

from mmbench.languages import fleurs_languages

LANGUAGES = [language.tag for language in fleurs_languages()]

_WITHOUT_NAMES = {  # where CLDR has no names: the first words of the Universal Declaration of Human Rights, or nearly
    "fuv_Latn": "Innama aadeeji fof poti, ndimɗi e jibinannde to bannge hakkeeji.",
    "nso_Latn": "Batho ka moka ba belegwe ba lokologile, ba na le maruo ao a lekanago.",
    "nya_Latn": "Anthu onse amabadwa aufulu ndiponso ofanana m'makhalidwe.",
    "oci_Latn": "Totes los èssers umans naisson liures, egals en dignitat.",
    "pbt_Arab": "د بشر ټول افراد آزاد نړۍ ته راځي، او د حیثیت او حقوقو له پلوه سره برابر دي.",
    "tgl_Latn": "Ang lahat ng tao'y isinilang na malaya, pantay-pantay sa karangalan.",
    "umb_Latn": "Omanu vosi vacitiwa valipwa, kuenda valisoka kesunga.",
}

NATIVE = {
    tag: _WITHOUT_NAMES.get(tag)
    or ", ".join(Code.get(code).display_name(tag.replace("_", "-")) for code in ("fr", "sw", "ja", "hi", "ar")) + "."
    for tag in LANGUAGES
}
"""Names of five languages in each language (CLDR), or a sentence; with punctuation."""
