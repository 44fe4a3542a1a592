"""No language without spaces is ever scored as one word without somebody asking for it, and nothing is downloaded."""

from __future__ import annotations

import logging

import pytest
import sacrebleu
import sentencepiece
from sacrebleu.metrics import BLEU
from sacrebleu.tokenizers import tokenizer_spm

from mmbench.errors import UsageError
from mmbench.languages import all_languages
from mmbench.schema import Output, Sample
from mmbench.scorers import sacre
from mmbench.scorers.sacre import bleu, merged, splits, tokenizer
from mmbench.scorers.translation import Bleu

CHARS = {"bod_Tibt", "dzo_Tibt", "jpn_Jpan", "khm_Khmr", "kor_Hang", "lao_Laoo", "mya_Mymr", "shn_Mymr", "tha_Thai"}
THAI = ("วันนี้อากาศดีมากครับ", "วันนี้อากาศดีมากค่ะ")


@pytest.fixture(autouse=True)
def forget():
    """What is installed differs from test to test."""
    for cached in (tokenizer, bleu, sacre.warn_once):
        cached.cache_clear()
    yield
    for cached in (tokenizer, bleu, sacre.warn_once):
        cached.cache_clear()


@pytest.fixture
def without_mecab(monkeypatch):
    monkeypatch.setattr(sacre, "find_spec", lambda name: None)


def warnings(caplog):
    return [record.message for record in caplog.records if record.levelno == logging.WARNING]


def score(scorer, hypothesis, reference, language):
    sample = Sample(id="1", language=language, references=(reference,))
    return float(scorer.reduce(scorer.stats(sample, Output(text=hypothesis))))


@pytest.mark.usefixtures("without_mecab")
def test_the_tokenizer_of_each_language():
    names = {language.tag: tokenizer(language.tag) for language in all_languages()}
    assert {tag for tag, name in names.items() if name == "zh"} == {"zho_Hans", "zho_Hant", "yue_Hant"}
    assert {tag for tag, name in names.items() if name == "char"} == CHARS
    assert set(names.values()) == {"13a", "char", "zh"}


@pytest.mark.parametrize("found", [None, object()])
def test_13a_never_sees_an_unspaced_language(monkeypatch, found):
    monkeypatch.setattr(sacre, "find_spec", lambda name: found)
    unspaced = [language.tag for language in all_languages() if not language.spaced]
    assert len(unspaced) >= 11
    for tag in unspaced:
        assert tokenizer(tag) not in ("13a", "intl", "none")
        assert splits(tokenizer(tag), tag)
        assert not any(splits(name, tag) for name in ("13a", "intl", "none", "ko-mecab"))


def test_morphemes_where_they_are_installed(monkeypatch):
    monkeypatch.setattr(sacre, "find_spec", lambda name: object())
    assert (tokenizer("jpn_Jpan"), tokenizer("kor_Hang")) == ("ja-mecab", "ko-mecab")


@pytest.mark.usefixtures("without_mecab")
def test_the_fall_back_is_said_once_and_stands_in_the_signature(caplog):
    for _ in range(3):
        assert score(Bleu(), "今日はとても良い天気ですよ", "今日はとても良い天気ですね", "jpn_Jpan") > 50
    assert len(warnings(caplog)) == 1
    assert "Japanese: MeCab and ipadic are not installed" in warnings(caplog)[0]
    assert "pip install 'sacrebleu[ja]'" in warnings(caplog)[0]
    assert "|tok:char(jpn_Jpan)|" in Bleu().signature(["jpn_Jpan"])


def test_one_that_is_asked_for_is_obeyed_with_a_warning(caplog):
    """Published figures were made with 13a on Thai (Fleurs-SLU); ours must not look like the right ones."""
    forced = Bleu(tokenize="13a")
    for _ in range(2):
        assert score(forced, *THAI, "tha_Thai") == 0 == sacrebleu.corpus_bleu([THAI[0]], [[THAI[1]]]).score
    assert score(Bleu(), *THAI, "tha_Thai") == BLEU(tokenize="char").corpus_score([THAI[0]], [[THAI[1]]]).score > 80
    assert [message for message in warnings(caplog) if "tokenize=13a leaves the sentences of tha_Thai whole" in message]
    assert len(warnings(caplog)) == 1
    assert "|tok:13a+13a-unsplit(tha_Thai)|" in forced.signature(["tha_Thai", "eng_Latn"])
    assert "|tok:13a|" in forced.signature(["eng_Latn", "fra_Latn"])
    assert "|tok:zh-unsplit(jpn_Jpan)" not in Bleu(tokenize="zh").signature(["zho_Hans"])
    assert "zh-unsplit(jpn_Jpan)" in Bleu(tokenize="zh").signature(["jpn_Jpan", "zho_Hans"])


def test_ultraeval_codes_that_silently_meant_13a():
    """UltraEval-Audio knows ja but not jp, and not char: both were scored with 13a without a word."""
    assert tokenizer("jp") == tokenizer("jpn_Jpan") != "13a"
    with pytest.raises(UsageError, match="unknown BLEU tokenizer 'jp': known are none, zh, 13a"):
        Bleu(tokenize="jp")
    assert "|tok:char|" in Bleu(tokenize="char").signature(["eng_Latn"])


@pytest.fixture
def models(tmp_path, monkeypatch):
    """SacreBLEU's folder of SentencePiece models, empty, and a network that must not be touched."""

    def download(*_: object) -> None:
        raise AssertionError("a download was tried")

    (tmp_path / "models").mkdir()
    monkeypatch.setattr(tokenizer_spm, "SACREBLEU_DIR", str(tmp_path))
    monkeypatch.setattr(tokenizer_spm, "download_file", download)
    return tmp_path / "models"


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("flores200", "flores200sacrebleuspm"),
        ("flores101", "sacrebleu_tokenizer_spm.model"),
        ("spm", "sacrebleu_tokenizer_spm.model"),
        ("spBLEU-1K", "spbleu-1k_tokenizer_spm.model"),
    ],
)
def test_a_sentencepiece_model_that_is_missing_fails_at_construction(models, name, file):
    with pytest.raises(UsageError, match=rf"{name!r} needs its SentencePiece model: put https://\S+ at .*{file} "):
        Bleu(tokenize=name)
    (models / file).write_bytes(b"")  # what a download that broke leaves behind
    with pytest.raises(UsageError, match="needs its SentencePiece model"):
        Bleu(tokenize=name)
    (models / file).write_bytes(b"no model")
    with pytest.raises(UsageError, match=f"{name!r} cannot be loaded"):
        Bleu(tokenize=name)


def test_a_sentencepiece_model_that_is_there_is_used(models, tmp_path, caplog):
    lines = ["the dog bit the man", "a cat sat on the mat", *THAI] * 20
    prefix = str(tmp_path / "tiny")
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_prefix=prefix, vocab_size=50, hard_vocab_limit=False, minloglevel=2
    )
    (tmp_path / "tiny.model").rename(models / "flores200sacrebleuspm")
    scorer = Bleu(tokenize="flores200", name="spbleu")
    expected = BLEU(tokenize="flores200").corpus_score([THAI[0]], [[THAI[1]]]).score
    assert score(scorer, *THAI, "tha_Thai") == expected
    assert 0 < expected < 100
    assert scorer.signature(["tha_Thai", "eng_Latn"]).startswith(
        "spbleu|nrefs:var|case:mixed|eff:no|tok:flores200|smooth:exp|version:"
    )
    assert not warnings(caplog)


def test_a_package_that_is_missing_is_named(monkeypatch):
    def broken(**_: object) -> BLEU:
        raise RuntimeError("please install\nMeCab")

    broken.TOKENIZERS = BLEU.TOKENIZERS
    monkeypatch.setattr(sacre, "BLEU", broken)
    with pytest.raises(UsageError, match="'ja-mecab' cannot be loaded: please install MeCab"):
        Bleu(tokenize="ja-mecab")


def test_signatures_of_several_languages_are_one():
    signatures = {
        "eng_Latn": "case:lc|tok:a|asian:no",
        "zho_Hans": "case:lc|tok:a|asian:yes",
        "tha_Thai": "case:lc|tok:b|asian:no",
    }
    usual = "case:lc|tok:a|asian:no"
    assert merged(usual, signatures) == "case:lc|tok:a+b(tha_Thai)|asian:no+yes(zho_Hans)"
    assert merged(usual, {}) == usual
    assert merged(usual, {"zho_Hans": signatures["zho_Hans"]}) == "case:lc|tok:a|asian:yes(zho_Hans)"
