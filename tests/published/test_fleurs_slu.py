"""Fleurs-SLU: the published error rates and BLEU of 102 languages give the means and medians over languages.

The figures are means over sentences of rates against cased and punctuated text, so WER says nothing where no spaces
separate words; that is why mmbench keeps such languages out of a mean of WER.
"""

from __future__ import annotations

import numpy as np
import pytest

from mmbench.aggregate import summary
from mmbench.languages import fleurs_languages, spaced, tag
from mmbench.scorers.edit import ErrorRate
from tests.published.samples import rows


def column(name: str, file: str = "asr_analysis") -> dict[str, float]:
    return {row["lang"]: float(row[name]) for row in rows(f"fleurs-slu/{file}.csv")}


@pytest.mark.parametrize(
    ("name", "mean", "median"),
    [
        ("test_whisper_asr_cer_mean", 0.3267, 0.1603),
        ("test_whisper_asr_wer_mean", 0.7158, 0.5826),
        ("test_seamlessm4t_asr_cer_mean", 0.1771, 0.1039),
        ("test_seamlessm4t_asr_wer_mean", 0.6448, 0.3060),
    ],
)
def test_means_and_medians_over_languages(name, mean, median):
    values = column(name)
    found = summary(values, higher_is_better=False)
    assert found.averaged == found.given == 102
    assert np.mean(list(values.values())) == pytest.approx(mean, abs=5e-5)
    assert found.median == pytest.approx(median, abs=5e-5)
    assert [value for _, value in found.worst] == sorted(values.values())[:-6:-1]
    others = [value for language, value in values.items() if language != "eng_Latn"]
    assert found.gap == pytest.approx(np.mean(others) - values["eng_Latn"])


def test_english():
    assert column("test_whisper_asr_cer_mean")["eng_Latn"] == pytest.approx(0.0333, abs=5e-5)
    assert column("test_whisper_asr_wer_mean")["eng_Latn"] == pytest.approx(0.1088, abs=5e-5)


@pytest.mark.parametrize(("system", "mean"), [("whisper", 13.314), ("seamlessm4t", 23.168)])
def test_bleu_of_101_languages(system, mean):
    values = column(f"{system}_test", "bleu_analysis")
    assert len(values) == 101 and "eng_Latn" not in values
    assert np.mean(list(values.values())) == pytest.approx(mean, abs=5e-4)
    assert np.isnan(summary(values, higher_is_better=True).gap), "there is no English to compare with"


def test_error_rate_and_bleu_go_together():
    errors, bleu = column("test_seamlessm4t_asr_cer_mean"), column("seamlessm4t_test", "bleu_analysis")
    shared = sorted(errors.keys() & bleu.keys())
    assert len(shared) == 101
    found = np.corrcoef([errors[name] for name in shared], [bleu[name] for name in shared])[0, 1]
    assert found == pytest.approx(-0.828, abs=5e-4)


def test_every_language_of_the_table_is_known_by_its_tag():
    found = set(column("test_whisper_asr_cer_mean"))
    assert found == {tag(name) for name in found}
    # Cantonese of FLEURS stands in the published table as traditional Chinese
    assert found ^ {language.tag for language in fleurs_languages()} == {"zho_Hant", "yue_Hant"}


def test_languages_without_spaces_are_not_in_a_mean_of_word_error_rates():
    values = column("test_whisper_asr_wer_mean")
    unspaced = sorted(name for name in values if not spaced(name))
    assert unspaced == ["jpn_Jpan", "khm_Khmr", "lao_Laoo", "mya_Mymr", "tha_Thai", "zho_Hans", "zho_Hant"]
    wer, cer = ErrorRate(name="wer", unit="word"), ErrorRate(name="cer", unit="char")
    assert not any(wer.averages(name) for name in unspaced)
    assert all(cer.averages(name) for name in values)
    assert values["tha_Thai"] == pytest.approx(0.965, abs=5e-4)
    assert values["jpn_Jpan"] == pytest.approx(0.942, abs=5e-4)
