"""Every dataset's codes come out as one tag, and the facts that metrics and groups rest on are right."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench import languages
from mmbench.errors import UsageError
from mmbench.languages import all_languages, fleurs_languages, iso639_1, language, spaced, tag, whisper_code

BEYOND_FLORES = {"bre_Latn", "haw_Latn", "lat_Latn"}
SPELLINGS = sorted(languages._index())

CODES = {
    # BCP 47 and ISO 639
    "eng_Latn": "en en-US eng English english EN_us",
    "por_Latn": "pt pt_BR pt-PT por Portuguese",
    "zho_Hans": "zh zh-CN zh-SG cn zho chi cmn cmn_hans_cn zh-Hans zh_Hans_CN zho_simpl Chinese",
    "zho_Hant": "zh-TW zh-HK zh-MO zh-Hant zho_trad cmn-Hant zho_Hant_TW",
    "yue_Hant": "yue yue_hant_hk yue-HK zh-yue Cantonese",
    "spa_Latn": "es es_419 es-MX spa",
    "deu_Latn": "de ger deu German",
    "fra_Latn": "fr fre fra French",
    # legacy codes, and country codes that datasets write
    "heb_Hebr": "he iw he_il heb",
    "ind_Latn": "id in id_id ind",
    "jpn_Jpan": "ja jp ja_jp jp-JP",
    "kor_Hang": "ko kr ko_kr kor_Kore",
    "ces_Latn": "cs cz cze",
    "ell_Grek": "el gr gre",
    "ukr_Cyrl": "uk ua",
    "jav_Latn": "jv jw",
    "ron_Latn": "ro mo rum",
    "ydd_Hebr": "yi ji yid",
    # macrolanguages and their standard member
    "tgl_Latn": "tl fil fil_ph tgl Filipino",
    "nob_Latn": "no nb nor nob nb_no",
    "nno_Latn": "nn nno",
    "swh_Latn": "sw swa swahili swh-Latn swh_latn SWH_LATN sw_ke",
    "arb_Arab": "ar ara arb ar_eg Arabic",
    "pes_Arab": "fa fas per pes fa_ir Persian Farsi",
    "prs_Arab": "prs fa-AF Dari",
    "khk_Cyrl": "mn mon khk mn_mn",
    "npi_Deva": "ne nep npi ne_np",
    "ory_Orya": "or ori ory or_in Odia",
    "azj_Latn": "az aze azj az_az",
    "azb_Arab": "azb az-Arab",
    "uzn_Latn": "uz uzb uzn uz_uz",
    "als_Latn": "sq sqi alb als",
    "kmr_Latn": "ku kur kmr",
    "ckb_Arab": "ckb ckb_iq ku-Arab",
    "lvs_Latn": "lv lav lvs lv_lv",
    "est_Latn": "et est ekk et_ee",
    "zsm_Latn": "ms msa may zsm ms_my",
    "plt_Latn": "mg mlg plt",
    "quy_Latn": "qu que quz quy",
    "ayr_Latn": "ay aym ayr",
    "grn_Latn": "gn grn gug",
    "pbt_Arab": "ps pus pbt ps_af",
    "snd_Arab": "sd snd sd_in",
    "gaz_Latn": "om orm gaz om_et",
    "fuv_Latn": "ff ful fuv ff_sn",
    "pan_Guru": "pa pan pa_in Punjabi",
    "twi_Latn": "tw twi",
    "aka_Latn": "ak aka",
    "tzm_Tfng": "tzm",
    "sat_Olck": "sat sat_Beng",
    "srp_Cyrl": "sr sr_rs srp",
    # scripts and languages that FLORES lacks
    "srp_Latn": "srp_Latn sr-Latn-RS sh",
    "tat_Latn": "tat_Latn tt-latn",
    "crh_Cyrl": "crh_Cyrl",
    "uig_Latn": "uig_Latn ug-Latn",
    "nap_Latn": "nap Neapolitan",
    "kaa_Cyrl": "kaa Karakalpak",
    "nqo_Nkoo": "nqo nqo_Nkoo",
    "haw_Latn": "haw",
}
NAMES = {"Mandarin Chinese": "zho_Hans", "Chinese (Simplified)": "zho_Hans", "chinese (traditional)": "zho_Hant"}
NAMES |= {"Northern-Sotho": "nso_Latn", "Sorani-Kurdish": "ckb_Arab", "Cantonese Chinese": "yue_Hant"}
CASES = [(code, name) for name, codes in CODES.items() for code in codes.split()] + list(NAMES.items())

UNSPACED = "bod_Tibt dzo_Tibt jpn_Jpan khm_Khmr lao_Laoo mya_Mymr shn_Mymr tha_Thai yue_Hant zho_Hans zho_Hant"


@pytest.mark.parametrize(("code", "name"), CASES)
def test_codes_and_names_of_datasets(code: str, name: str) -> None:
    assert tag(code) == name


def test_the_file_has_flores_and_fleurs_whole() -> None:
    known = [row.tag for row in all_languages()]
    assert known == sorted(set(known))
    assert len(set(known) - BEYOND_FLORES) == 204 and BEYOND_FLORES.issubset(known)
    assert len(fleurs_languages()) == len({row.fleurs for row in fleurs_languages()}) == 102
    assert all(name == tag(name) for name in known)
    assert all(tag(row.name) == row.tag for row in all_languages())


def test_fleurs_resolves_both_ways() -> None:
    for row in fleurs_languages():
        assert row.fleurs is not None
        assert tag(row.fleurs) == row.tag and language(row.fleurs).fleurs == row.fleurs


def test_no_spelling_means_two_languages() -> None:
    spellings = [
        (languages._key(spelling), name)
        for name, row in languages._rows().items()
        for spelling in [name, row["name"], row["fleurs"], *row["aliases"].split()]
        if spelling
    ]
    assert len({key for key, _ in spellings}) == len(set(spellings))


def test_no_field_is_empty() -> None:
    for row in all_languages():
        assert row.name and row.family and row.region
        assert row.resource in {*"012345", "unknown"}
        assert len(row.code) == 3 and len(row.script) == 4


@given(st.sampled_from(SPELLINGS + [code for code, _ in CASES]), st.sampled_from([str.upper, str.lower, str.title]))
def test_tags_are_fixed_points_in_any_case(code: str, case: object) -> None:
    assert callable(case)
    assert tag(tag(code)) == tag(code) == tag(case(code))


@given(st.text(max_size=12))
def test_any_text_is_a_tag_or_a_usage_error(code: str) -> None:
    try:
        assert tag(tag(code)) == tag(code)
    except UsageError as error:
        assert "\n" not in str(error)


def test_every_iso_639_1_code_resolves() -> None:
    rows = languages._rows().values()
    # kr is Korean in datasets, although it is Kanuri in the standard
    assert all(tag(row["iso1"])[:3] == row["tag"][:3] for row in rows if row["iso1"] not in {"", "kr"})


@pytest.mark.parametrize(
    ("code", "part"),
    [("swahlii", "swahili"), ("xyzzy", "xyzzy"), ("", "''"), ("und", "und"), ("qaa", "qaa"), ("acx", "script")],
)
def test_unknown_codes_are_usage_errors_of_one_line(code: str, part: str) -> None:
    with pytest.raises(UsageError) as caught:
        tag(code)
    assert part in str(caught.value) and "\n" not in str(caught.value)


def test_words_without_spaces() -> None:
    assert " ".join(row.tag for row in all_languages() if not row.spaced) == UNSPACED
    assert not spaced("wuu") and not spaced("yue_Hans") and not spaced("ja")
    assert spaced("zho_Latn") and spaced("srp_Latn") and spaced("ko") and spaced("vi")


def test_a_language_beside_the_file() -> None:
    neapolitan = language("nap")
    assert (neapolitan.name, neapolitan.family, neapolitan.resource) == ("Neapolitan", "unknown", "unknown")
    assert neapolitan.fleurs is None and neapolitan.code == "nap" and neapolitan.script == "Latn"
    assert language("srp_Latn").name == "Serbian (Latin)" and language("srp_Latn").family == "Indo-European"


def test_facts() -> None:
    swahili = language("swh_Latn")
    assert (swahili.family, swahili.region, swahili.resource) == ("Atlantic-Congo", "Sub-Saharan Africa", "2")
    assert language("eus_Latn").family == "Isolate"
    assert language("eng_Latn").resource == "5" and language("arb_Arab").resource == "5"
    # varieties of Arabic do not inherit the class of Arabic
    assert language("ary_Arab").resource == "unknown"


@pytest.mark.parametrize(
    ("code", "whisper"),
    [
        *[("yue_Hant", "yue"), ("jav_Latn", "jw"), ("nob_Latn", "no"), ("nno_Latn", "nn"), ("tgl_Latn", "tl")],
        *[("zho_Hans", "zh"), ("zho_Hant", "zh"), ("arb_Arab", "ar"), ("arz_Arab", "ar"), ("ary_Arab", "ar")],
        *[("haw_Latn", "haw"), ("lin_Latn", "ln"), ("hau_Latn", "ha"), ("bak_Cyrl", "ba"), ("srp_Latn", "sr")],
        *[("kir_Cyrl", None), ("gle_Latn", None), ("ibo_Latn", None), ("nap", None), ("ckb_Arab", None)],
    ],
)
def test_whisper_codes(code: str, whisper: str | None) -> None:
    assert whisper_code(code) == whisper


def test_all_codes_of_whisper_are_there() -> None:
    text = """af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw he hi hr ht hu
    hy id is it ja jw ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc pa pl ps pt ro ru sa
    sd si sk sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz vi yi yo yue zh"""
    codes = text.split()
    assert len(codes) == 100
    assert {whisper_code(row.tag) for row in all_languages()} - {None} == set(codes)
    assert all(whisper_code(code) == code for code in codes)


def test_two_letter_codes() -> None:
    assert [iso639_1(code) for code in ("nob_Latn", "swh_Latn", "jav_Latn", "srp_Latn")] == ["nb", "sw", "jv", "sr"]
    assert iso639_1("arz_Arab") is None and iso639_1("ceb_Latn") is None


def test_the_module_imports_nothing_heavy() -> None:
    heavy = "{'torch', 'numpy', 'langcodes', 'language_data'}"
    script = f"import sys, mmbench.languages; print(*{heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
