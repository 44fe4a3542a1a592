"""A model's own language codes: the right one for a tag, none for a language that the model lacks."""

from __future__ import annotations

import pytest

from mmbench.errors import SampleError, UsageError
from mmbench.models.codes import need_code, own_code
from mmbench.schema import Sample

MMS = "eng ara ckb cmn-script_simplified yue-script_traditional urd-script_arabic urd-script_latin srp-script_latin "
MMS += "uzb-script_latin azj-script_latin kmr-script_latin fas lav mon orm ful zlm pus mlg ekk est abi swh nob hak"


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("eng_Latn", "eng"), ("arb_Arab", "ara"), ("zho_Hans", "cmn-script_simplified"),
        ("yue_Hant", "yue-script_traditional"), ("urd_Arab", "urd-script_arabic"), ("urd_Latn", "urd-script_latin"),
        ("uzn_Latn", "uzb-script_latin"), ("azj_Latn", "azj-script_latin"), ("kmr_Latn", "kmr-script_latin"),
        ("pes_Arab", "fas"), ("lvs_Latn", "lav"), ("khk_Cyrl", "mon"), ("gaz_Latn", "orm"), ("fuv_Latn", "ful"),
        ("zsm_Latn", "zlm"), ("pbt_Arab", "pus"), ("plt_Latn", "mlg"), ("est_Latn", "est"), ("abi_Latn", "abi"),
        ("nob_Latn", "nob"), ("zho_Hant", None), ("srp_Cyrl", None), ("arz_Arab", None), ("deu_Latn", None),
    ],
)  # fmt: skip
def test_mms(tag: str, code: str | None) -> None:
    assert own_code(tag, MMS.split()) == code


def test_every_language_of_nllb_is_found() -> None:
    from transformers.models.nllb.tokenization_nllb import FAIRSEQ_LANGUAGE_CODES as CODES

    assert {tag: own_code(tag, CODES) for tag in CODES if own_code(tag, CODES) != tag} == {"sat_Beng": None}
    assert own_code("sat_Olck", CODES) == "sat_Beng", "NLLB's tokenizer has another script's name for it"
    assert own_code("lat_Latn", CODES) is None


def test_every_language_of_m2m100_and_mbart50_is_found() -> None:
    from transformers.models.m2m_100.tokenization_m2m_100 import FAIRSEQ_LANGUAGE_CODES as M2M
    from transformers.models.mbart50.tokenization_mbart50 import FAIRSEQ_LANGUAGE_CODES as MBART

    from mmbench import languages

    for code in M2M["m2m100"]:
        assert own_code(languages.tag({"ns": "nso"}.get(code, code)), M2M["m2m100"]) == code
    for code in MBART:
        assert own_code(languages.tag(code[:2]), MBART) == code
    assert own_code("zho_Hant", M2M["m2m100"]) is None, "it would write the other script"


def test_an_unknown_language_is_named_with_what_is_near() -> None:
    sample = Sample(id="s", language="srp_Cyrl")
    with pytest.raises(SampleError, match=r"s: mms does not know Serbian \(srp_Cyrl\), but srp-script_latin; .*=\{srp"):
        need_code(sample, "srp_Cyrl", MMS.split(), {}, "mms")
    assert need_code(sample, "srp_Cyrl", MMS.split(), {"sr": "srp-script_latin"}, "mms") == "srp-script_latin"
    with pytest.raises(UsageError, match="no code 'srp'"):
        own_code("srp_Cyrl", MMS.split(), {"sr": "srp"})
