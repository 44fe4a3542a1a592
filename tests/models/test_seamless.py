"""SeamlessM4T, both versions: the language that is asked for is the one that it is told, or the sample is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from mmbench.errors import SampleError
from mmbench.models.codes import own_code
from mmbench.models.speech_to_text import SpeechToText
from tests.models import tiny_speech

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mmbench.schema import Sample

TARGETS = """
afr amh arb ary arz asm azj bel ben bos bul cat ceb ces ckb cmn cmn_Hant cym dan deu ell eng est eus fin fra fuv gaz gle
glg guj heb hin hrv hun hye ibo ind isl ita jav jpn kan kat kaz khk khm kir kor lao lit lug luo lvs mai mal mar mkd mlt
mni mya nld nno nob npi nya ory pan pbt pes pol por ron rus slk slv sna snd som spa srp swe swh tam tel tgk tgl tha tur
ukr urd uzn vie yor yue zsm zul
""".split()
"""Targets in text, from the table in docs/m4t/README.md of facebookresearch/seamless_communication (90e2b57)."""


@pytest.fixture(scope="module", params=[1, 2])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_speech.seamless(tmp_path_factory.mktemp("seamless"), request.param)


def make(folder: Path, **settings: Any) -> SpeechToText:
    return SpeechToText(name="seamless", model=str(folder), dtype="float32", device="cpu", **settings)


def texts(model: SpeechToText, batch: Sequence[Sample]) -> list[str]:
    return [output.text for output in model.generate(batch)]


def test_transcribes_in_the_language_that_is_spoken(folder: Path, spoken: list[Sample]) -> None:
    model = make(folder)
    alone = [texts(model, [sample])[0] for sample in spoken]
    assert len(set(alone)) > 3
    assert texts(model, spoken) == alone
    assert texts(model, spoken[::-1]) == alone[::-1]
    told = {texts(model, [replace(spoken[0], language=tag)])[0] for tag in ("eng_Latn", "fra_Latn", "zho_Hant")}
    assert len(told) > 1
    # What a transcription is to be scored against says nothing of what is spoken.
    assert texts(model, [replace(spoken[0], target_language="fra_Latn")]) == alone[:1]


def test_translates_into_the_language_that_is_asked_for(folder: Path, spoken: list[Sample]) -> None:
    model, translating = make(folder), make(folder, task="translate")
    into = {tag: [replace(s, target_language=tag) for s in spoken] for tag in ("eng_Latn", "fra_Latn", "swh_Latn")}
    said = {tag: texts(translating, batch) for tag, batch in into.items()}
    assert len({tuple(found) for found in said.values()}) == 3
    # The model is told what to write alone: a translation is a transcription in another language.
    for tag, found in said.items():
        assert found == texts(model, [replace(sample, language=tag) for sample in spoken])
    tags = list(into)
    mixed = [into[tags[i % 3]][i] for i in range(len(spoken))]
    assert texts(translating, mixed) == [said[tags[i % 3]][i] for i in range(len(spoken))]


def test_translation_hears_languages_that_it_cannot_write(folder: Path, spoken: list[Sample]) -> None:
    asturian = replace(spoken[0], language="ast_Latn", target_language="eng_Latn")
    assert texts(make(folder, task="translate"), [asturian]) == texts(
        make(folder), [replace(spoken[0], language="eng_Latn")]
    )


def test_unknown_languages_are_refused(folder: Path, spoken: list[Sample]) -> None:
    odd = replace(spoken[0], id="odd", language="kik_Latn")
    with pytest.raises(SampleError, match="sample odd: seamless does not know Kikuyu"):
        make(folder).generate([spoken[0], odd])
    with pytest.raises(SampleError, match="sample s1: seamless does not know German"):
        make(folder, task="translate").generate([replace(spoken[1], target_language="deu_Latn")])
    forced = make(folder, language="swh_Latn").generate([odd])
    assert forced == make(folder).generate([replace(odd, language="swh_Latn")])


def test_tokens_and_limit(folder: Path, spoken: list[Sample]) -> None:
    assert make(folder, max_new_tokens=3).generate(spoken[:1])[0].tokens == 3, "start and language are none of its own"
    beams = make(folder, generation={"num_beams": 3})
    assert texts(beams, spoken) == [texts(beams, [sample])[0] for sample in spoken]


def test_every_documented_code_is_found() -> None:
    tags = {"cmn": "zho_Hans", "cmn_Hant": "zho_Hant", "kor": "kor_Hang", "arb": "arb_Arab", "yue": "yue_Hant"}
    for code, tag in tags.items():
        assert own_code(tag, TARGETS) == code
    from mmbench import languages

    assert {own_code(languages.tag(code), TARGETS) for code in TARGETS} == set(TARGETS)
    for tag in ("arb_Latn", "kik_Latn", "ast_Latn", "xho_Latn"):
        assert own_code(tag, TARGETS) is None
