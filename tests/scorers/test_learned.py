"""BERTScore is computed by its definition, COMET by unbabel-comet in an environment of its own."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

import numpy as np
import pytest

from mmbench import __version__
from mmbench.errors import UsageError
from mmbench.records import from_row
from mmbench.schema import Audio, Output, Sample, Scorer, Text
from mmbench.scorers import learned
from mmbench.scorers.learned import BertScore, Comet

WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] the dog bit a man cat sat on mat had ##ten . , ' s ว ั น น ี ้".split()
# F1 of bert-score 0.3.13 on the encoder below, second layer, without idf and baseline
GOLDEN = [
    ("the dog bit a man.", "the dog had bitten the man.", 0.990855455),
    ("a cat sat on the mat", "the cat sat on a mat", 0.996207833),
    ("the", "a dog", 0.736725509),
    ("the zebra", "the cat's mat", 0.952104986),
]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """Folder of a tiny BERT whose weights are waves, so that they are the same everywhere."""
    import torch
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("bert")
    (folder / "vocab.txt").write_text("\n".join(dict.fromkeys(WORDS)) + "\n", encoding="utf-8")
    settings = {"tokenizer_class": "BertTokenizer", "model_max_length": 32, "do_lower_case": True}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    model = BertModel(
        BertConfig(
            vocab_size=len(dict.fromkeys(WORDS)),
            hidden_size=24,
            num_hidden_layers=3,
            num_attention_heads=4,
            intermediate_size=40,
            max_position_embeddings=32,
        )
    )
    with torch.no_grad():
        for index, weights in enumerate(matrix for matrix in model.parameters() if matrix.ndim == 2):
            wave = torch.arange(weights.numel(), dtype=torch.float64).mul(1.7 + index).sin().mul(0.8)
            weights.copy_(wave.reshape(weights.shape))
    model.save_pretrained(folder)
    return str(folder)


def pairs(rows):
    return [
        (Sample(id=str(i), language="eng_Latn", references=tuple(refs)), None if text is None else Output(text=text))
        for i, (text, refs) in enumerate(rows)
    ]


def test_bertscore_equals_bert_score(encoder):
    found = BertScore(model=encoder, layer=2).all_stats(pairs([(text, [ref]) for text, ref, _ in GOLDEN]))
    np.testing.assert_allclose(found[:, 0], [row[2] for row in GOLDEN], rtol=0, atol=1e-5)
    assert (found[:, 1] == 1).all()


def test_bertscore_by_its_definition(encoder):
    """Zhang et al. 2020, equations 1 and 2; start and end are no tokens of the text, but may be matched."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(encoder), AutoModel.from_pretrained(encoder).eval()

    def vectors(text):
        with torch.no_grad():
            hidden = model(**tokenizer(text, return_tensors="pt"), output_hidden_states=True).hidden_states[3][0]
        return hidden.numpy() / np.linalg.norm(hidden.numpy(), axis=1, keepdims=True)

    answer, reference = vectors("the dog sat"), vectors("a man had a mat")
    recall = np.mean([max(float(x @ y) for y in answer) for x in reference[1:-1]])
    precision = np.mean([max(float(x @ y) for y in reference) for x in answer[1:-1]])
    (row,) = BertScore(model=encoder, layer=3).all_stats(pairs([("the dog sat", ["a man had a mat"])]))
    assert row[0] == pytest.approx(2 * precision * recall / (precision + recall), abs=1e-5)


def test_bertscore_of_a_text_with_itself_is_one_and_batches_do_not_matter(encoder):
    asked = pairs(
        [("the dog", ["the dog"]), ("a cat sat on the mat . the man had it", ["a man", "the cat sat on a mat"])]
    )
    asked += pairs([("a man", ["a dog , a man"])] * 5)
    found = BertScore(model=encoder, layer=2).all_stats(asked)
    assert found[0, 0] == pytest.approx(1, abs=1e-5)
    one_by_one = [BertScore(model=encoder, layer=2, batch_size=1).stats(*pair) for pair in asked]
    np.testing.assert_allclose(found, one_by_one, rtol=0, atol=1e-5)
    alone = BertScore(model=encoder, layer=2).all_stats(
        pairs([(asked[1][1].text, [ref]) for ref in asked[1][0].references])
    )
    assert found[1, 0] == pytest.approx(alone[:, 0].max(), abs=1e-5)


def test_bertscore_without_an_answer_or_a_reference(encoder):
    scorer = BertScore(model=encoder, layer=2)
    asked = pairs([(None, ["a man"]), (" ", ["a man"]), ("a man", []), ("a man", ["", " "]), ("a man", ["", "a man"])])
    found = scorer.all_stats(asked)
    np.testing.assert_allclose(found, [[0, 1], [0, 1], [0, 0], [0, 0], [1, 1]], atol=1e-5)
    assert np.isnan(scorer.reduce(found[2:4].sum(axis=0)))


def test_bertscore_says_what_it_cuts_off(encoder, caplog):
    learned._say_cut.cache_clear()
    scorer = BertScore(model=encoder, layer=2)
    scorer.all_stats(pairs([("the dog " * 30, ["the dog"])] * 2))
    assert caplog.text.count("some texts have as many tokens as") == 1


@pytest.mark.parametrize("layer", [0, 4, -1])
def test_bertscore_layers_that_are_not_there(encoder, layer):
    with pytest.raises(UsageError, match=f"bertscore: layer={layer}: .* has layers 1 to 3"):
        BertScore(model=encoder, layer=layer)


def test_bertscore_models_that_are_no_encoders(tmp_path):
    with pytest.raises(UsageError, match=r"bertscore: ./none: there is no such folder"):
        BertScore(model="./none")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "t5", "num_layers": 2}), encoding="utf-8")
    with pytest.raises(UsageError, match="is no encoder such as BERT or XLM-R"):
        BertScore(model=str(tmp_path), layer=1)


COMET = """
class Model:
    def predict(self, rows, batch_size, gpus, progress_bar):
        assert (batch_size, gpus, progress_bar) == (3, 0, False)
        return {"scores": [len(row["mt"]) / 10 + len(row["ref"]) / 100 + len(row["src"]) / 1000 for row in rows]}
def download_model(name):
    assert name == "Unbabel/wmt22-comet-da"
    return "there"
def load_from_checkpoint(path):
    assert path == "there"
    return Model()
"""
TORCH = "class cuda:\n    @staticmethod\n    def is_available():\n        return False\n"


@pytest.fixture
def python(tmp_path):
    """An interpreter of an environment with a package that has unbabel-comet's interface, and the folder of that."""
    learned._comet_version.cache_clear()
    site = tmp_path / "site"
    for name, text in {"comet": COMET, "torch": TORCH, "pkg_resources": ""}.items():
        (site / name).mkdir(parents=True)
        (site / name / "__init__.py").write_text(text, encoding="utf-8")
    (site / "unbabel_comet-2.2.7.dist-info").mkdir()
    metadata = "Metadata-Version: 2.1\nName: unbabel-comet\nVersion: 2.2.7\n"
    (site / "unbabel_comet-2.2.7.dist-info" / "METADATA").write_text(metadata, encoding="utf-8")
    script = tmp_path / "python"
    script.write_text(f'#!/bin/sh\nPYTHONPATH="{site}" exec "{sys.executable}" "$@"\n', encoding="utf-8")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return script


def spoken(name, answer, *references, source="1234"):
    parts = (Audio(b"", transcript=source), Text("Translate.", instruction=True))
    sample = Sample(id=name, language="eng_Latn", parts=parts, references=references)
    return sample, None if answer is None else Output(text=answer)


def test_comet_scores_source_answer_and_reference(python):
    scorer = Comet(python=str(python), batch_size=3)
    asked = [spoken("1", "ab", "c"), spoken("2", "ab", "c", "cdefg", ""), spoken("3", None, "c"), spoken("4", " ", "c")]
    asked += [spoken("5", "ab"), spoken("6", "ab", " ")]
    found = scorer.all_stats(asked)
    assert found.tolist() == [[pytest.approx(0.214), 1], [pytest.approx(0.254), 1], [0, 1], [0, 1], [0, 0], [0, 0]]
    assert scorer.stats(*asked[0]).tolist() == [pytest.approx(0.214), 1]
    assert scorer.signature(["eng_Latn"]) == (
        f"comet|model:Unbabel/wmt22-comet-da@main|unbabel-comet:2.2.7|refs:best|empty:0|mmbench:{__version__}"
    )


def test_comet_takes_the_source_of_rows(python):
    scorer = Comet(python=str(python), batch_size=3)
    row = {"sample_id": "1", "language": "eng_Latn", "prediction": "ab", "references": ["c"]}
    values = []
    for more in ({"transcript": "12"}, {"question": "123"}, {"transcript": "12", "question": "12345"}):
        record = from_row({**row, **more}, where="file:1")
        values.append(float(scorer.stats(record.sample, record.prediction.output)[0]))
    assert values == pytest.approx([0.212, 0.213, 0.212])
    record = from_row(row, where="file:1")
    with pytest.raises(
        UsageError, match="sample 1: has no source text for comet; rows need 'transcript' or 'question'"
    ):
        scorer.stats(record.sample, record.prediction.output)


def test_comet_that_is_not_installed_fails_at_construction(python, tmp_path):
    message = "comet needs unbabel-comet, which .* has not.*pip install unbabel-comet.*MMBENCH_COMET_PYTHON="
    (tmp_path / "site" / "unbabel_comet-2.2.7.dist-info" / "METADATA").unlink()
    (tmp_path / "site" / "unbabel_comet-2.2.7.dist-info").rmdir()
    with pytest.raises(UsageError, match=message) as caught:
        Comet(python=str(python))
    assert "\n" not in str(caught.value)
    with pytest.raises(UsageError, match=r"comet: python=./none cannot be started \(No such file or directory\)"):
        Comet(python="./none")


def test_comet_without_setuptools_would_compute_other_scores(python, tmp_path):
    (tmp_path / "site" / "pkg_resources" / "__init__.py").write_text("raise ImportError", encoding="utf-8")
    with pytest.raises(UsageError, match="'setuptools<81'"):
        Comet(python=str(python))


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("raise OSError('no such model')", "gave no scores .status 1.: OSError: no such model"),
        ("def download_model(name): return name\ndef load_from_checkpoint(path): return M()\nclass M:\n"
         "    def predict(self, rows, **_): return {'scores': [float('nan')]}", "1 scores for 1 translations, or some"),
        ("def download_model(name): return name\ndef load_from_checkpoint(path): return M()\nclass M:\n"
         "    def predict(self, rows, **_): return {'scores': []}", "0 scores for 1 translations"),
    ],
)  # fmt: skip
def test_comet_that_breaks(python, tmp_path, program, message):
    Path(tmp_path, "site", "comet", "__init__.py").write_text(program, encoding="utf-8")
    with pytest.raises(UsageError, match=f"comet: .*{message}"):
        Comet(python=str(python)).stats(*spoken("1", "ab", "c"))


def test_protocol(encoder, python):
    scorers: list[Scorer] = [BertScore(model=encoder, layer=2), Comet(python=str(python))]
    assert [scorer.name for scorer in scorers] == ["bertscore", "comet"]
    assert all(scorer.higher_is_better and scorer.fraction and not scorer.proportion for scorer in scorers)
    signature = scorers[0].signature(["eng_Latn"])
    assert signature.startswith("bertscore|model:sha256:")
    assert "|layer:2|idf:no|rescale:no|refs:best|empty:0|transformers:" in signature
