"""Which protocol with images runs on which architecture: the tables that `test_image_coverage.py` holds mmbench to.

To add an architecture, give it a line in both and its weights in `image_systems.py`; to add a protocol, a column and
its task below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.protocols.coverage import Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

QUESTIONS = """
                     name  one   inter lett  gen   circ  mmmu  cap   vqa   two   twoG  pair  page
llava                sees  sees  sees  sees  sees  sees  sees  sees  sees  sees  sees  sees  sees
qwen2_vl             sees  sees  sees  sees  sees  sees  sees  sees  sees  sees  sees  sees  sees
qwen2_5_vl           sees  sees  sees  sees  sees  sees  sees  sees  sees  sees  sees  sees  sees
smolvlm              sees  sees  sees  sees  sees  sees  sees  sees  sees  sees  sees  sees  sees
gemma3               sees  sees  sees  sees  sees  sees  sees  sees  sees  sees  sees  sees  sees
qwen2_5_omni_thinker sees  sees  sees  sees  sees  sees  sees  sees  sees  sees  sees  sees  sees
blip2_opt            sees  sees  -one  some  sees  sees  some  sees  sees  -one  -one  sees  sees
florence2            sees  sees  -one  some  sees  sees  some  sees  sees  -one  -one  sees  sees
paligemma            sees  sees  -one  some  sees  sees  some  sees  sees  -one  -one  sees  sees
clip                 sees  sees  sees  aside -say  -say  -say  -say  -say  sees  -say  sees  sees
siglip               sees  sees  sees  aside -say  -say  -say  -say  -say  sees  -say  sees  sees
llama                -eye  -eye  -eye  -eye  -eye  -eye  -eye  -eye  -eye  -eye  -eye  -eye  -eye
echo+llama           sees  sees  sees  sees  sees  sees  sees  sees  sees  sees  sees  sees  sees
gold+llama           sees  -said -said -said -said -said -said -said -said -said -said -said sees
florence2+llama      sees  sees  sees  sees  sees  sees  sees  sees  sees  sees  sees  sees  sees
echo+encoder         -rank -rank -rank -rank -say  -say  -say  -say  -say  -rank -say  -rank -rank
"""
OTHERS = """
                     few   fewG  rank  find notes bits  order next  assoc cloze
llava                sees  sees  sees  sees sees  sees  sees  sees  sees  sees
qwen2_vl             sees  sees  sees  sees sees  sees  sees  sees  sees  sees
qwen2_5_vl           sees  sees  sees  sees sees  sees  sees  sees  sees  sees
smolvlm              sees  sees  sees  sees sees  sees  sees  sees  sees  sees
gemma3               sees  sees  sees  sees sees  sees  sees  sees  sees  sees
qwen2_5_omni_thinker sees  sees  sees  sees sees  sees  sees  sees  sees  sees
blip2_opt            -one  -one  -one  -vec -vec  -doc  -doc  -doc  -one  -one
florence2            -one  -one  -one  -vec -vec  -doc  -doc  -doc  -one  -one
paligemma            -one  -one  -one  -vec -vec  -doc  -doc  -doc  -one  -one
clip                 aside -say  aside sees sees  -doc  -doc  -doc  -pic  -pic
siglip               aside -say  aside sees sees  -doc  -doc  -doc  -pic  -pic
llama                -eye  -eye  -eye  -vec -vec  blind blind blind -eye  -eye
echo+llama           sees  sees  sees  -vec -vec  sees  sees  sees  sees  sees
gold+llama           -said -said -said -vec -vec  -said -said -said -said -said
florence2+llama      sees  sees  sees  -vec -vec  sees  sees  sees  sees  sees
echo+encoder         -rank -say  -rank sees sees  -doc  -doc  -doc  -rank -rank
"""
"""
sees    it answers the images; a cascade what a stage says of them
blind   it answers the text alone, and says so in a note
aside   it answers, but not what is asked: nearness of an image to a letter or to "yes"; the score is low
some    it answers questions with one image; those with several are refused like `-one`
-rank, -say, -doc, -vec
        refused before any data are read: it gives no likelihoods of choices, no text, no likelihoods of documents, no
        vectors
-eye, -one, -pic, -said
        refused sample by sample: it takes no images; it takes one, neither several nor none; it ranks by an image, and
        the empty question of a calibrated task has none; neither is anything written on the image nor said of it
"""

ANSWERS = ("sees", "blind", "aside")
REFUSALS: Mapping[str, str] = {
    "-eye": r"sample \S+ holds image, which a text model cannot read; put a stage before it",
    "-pic": r"sample \S+ has no image, and \S+ ranks choices by an image alone",
    "-one": r"sample \S+ holds \d+ images; \S+ takes one image and text",
    "-said": r"sample \S+ has neither reference nor transcript; the gold model needs one",
}
"""What an error row of a refused sample says."""
METHODS: Mapping[str, str] = {
    "-rank": "loglikelihood",
    "-say": "generate",
    "-doc": "document_loglikelihood",
    "-vec": "embed",
}
"""The method that a refused model lacks."""

_TWO = {"_target_": "mmbench.shots.Shots", "count": 2}
_PAGES = {"fonts": {"default": "DejaVu Sans"}, "size": 12, "width": 200, "margin": 2, "per_language": 2}
_ENGLISH, _FRENCH = ("eng_Latn",), ("fra_Latn",)


def _seed(task: str, part: str, **change: Any) -> Protocol:
    own = {"loader": {"parts": [part]}, **change}
    return Protocol(task=task, data="seed_bench_2", languages=_ENGLISH, change=own)


def _moscar(task: str) -> Protocol:
    return Protocol(task=f"moscar_{task}", data="interleaved", languages=_FRENCH)


PROTOCOLS: Mapping[str, Protocol] = {
    "name": Protocol(task="tuxpaint_naming"),
    "one": _seed("seed_bench_2", "single_image"),
    "inter": _seed("seed_bench_2", "interleaved"),
    "lett": Protocol(task="mmmu_letter", data="mmmu", languages=_ENGLISH),
    "gen": Protocol(task="seed_bench_2_generated", data="seed_bench_2", languages=_ENGLISH),
    "circ": Protocol(task="mmmb_circular", data="mmbench_tsv", languages=("por_Latn", "zho_Hans")),
    "mmmu": Protocol(task="mmmu_generated", data="mmmu", languages=_ENGLISH),
    "cap": Protocol(task="xm3600_caption", data="xm3600", languages=("deu_Latn", "tha_Thai")),
    "vqa": Protocol(task="xgqa", data="xgqa", languages=("deu_Latn", "ben_Beng")),
    "two": Protocol(task="marvl", data="marvl", languages=("swh_Latn", "tam_Taml")),
    "twoG": Protocol(task="marvl_generated", data="marvl", languages=("swh_Latn", "tam_Taml")),
    "pair": Protocol(task="commute", data="commute", languages=("deu_Latn", "fra_Latn")),
    "page": Protocol(task="rendered_sib_200_topic", data="sib_200", change={"loader": _PAGES}),
    "few": _seed("seed_bench_2_letter", "single_image", shots=_TWO),
    "fewG": Protocol(task="xgqa", data="xgqa", languages=("deu_Latn", "ben_Beng"), change={"shots": _TWO}),
    "rank": Protocol(task="mllm_msr", data="mllm_msr", languages=_ENGLISH),
    "find": Protocol(task="xflickrco_retrieval", data="xflickrco", languages=("deu_Latn", "jpn_Jpan")),
    "notes": Protocol(task="notellm_2", data="notellm_2", languages=("zho_Hans",)),
    "bits": _moscar("bits"),
    "order": _moscar("order"),
    "next": _moscar("next_image"),
    "assoc": _moscar("association"),
    "cloze": _moscar("cloze"),
}
"""Choices are ranked by the likelihood of their texts or letters (`lett`), or generated and parsed (capital G, `gen`,
`circ`, `mmmu` by its own rules). `two` are statements about two images, `pair` contrastive translations, `page` texts
in pictures, `few` questions after two demonstrations with images; `find` is retrieval, and what follows documents."""


def cells() -> dict[tuple[str, str], str]:
    """The tables by system and protocol."""
    found: dict[tuple[str, str], str] = {}
    for table in (QUESTIONS, OTHERS):
        header, *lines = (line.split() for line in table.strip().splitlines())
        for name, *words in lines:
            found |= {(name, protocol): word for protocol, word in zip(header, words, strict=True)}
    return found
