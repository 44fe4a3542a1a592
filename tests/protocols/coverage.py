"""Which protocol runs on which architecture: the table that `test_coverage.py` holds mmbench to, cell by cell.

To add an architecture, give it a line and its weights in `systems.py`; to add a protocol, a column and its task below.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

TABLE = """
                     asr   st    topic topicG mcq   mcqG  qa    mood  gender same  chat  follow noise name  nameG both
llava                reads reads reads reads  reads reads reads -ear  reads  -ear  reads reads  reads sees  sees  -ear
qwen2_vl             reads reads reads reads  reads reads reads -ear  reads  -ear  reads reads  reads sees  sees  -ear
qwen2_5_vl           reads reads reads reads  reads reads reads -ear  reads  -ear  reads reads  reads sees  sees  -ear
smolvlm              reads reads reads reads  reads reads reads -ear  reads  -ear  reads reads  reads sees  sees  -ear
gemma3               reads reads reads reads  reads reads reads -ear  reads  -ear  reads reads  reads sees  sees  -ear
qwen2_audio          hears hears hears hears  hears hears hears hears hears  hears hears hears  hears -eye  -eye  -eye
audioflamingo3       hears hears hears hears  hears hears hears hears hears  hears hears hears  hears -eye  -eye  -eye
qwen2_5_omni_thinker hears hears hears hears  hears hears hears hears hears  hears hears hears  hears sees  sees  sees
whisper              hears hears -rank aside  -rank aside aside aside -rank  aside aside aside  hears -rank -mute -rank
wav2vec2             hears aside -rank aside  -rank aside aside aside -rank  aside aside aside  hears -rank -mute -rank
seamless             hears hears -rank aside  -rank aside aside aside -rank  aside aside aside  hears -rank -mute -rank
classifier           aside aside -tag  aside  -tag  aside aside aside hears  aside aside aside  aside -tag  -mute -tag
nllb                 reads reads -rank reads  -rank reads reads -ear  -rank  -ear  reads reads  reads -rank -eye  -rank
llama                reads reads reads reads  reads reads reads -ear  reads  -ear  reads reads  reads -eye  -eye  -eye
whisper+nllb+llama   hears hears hears hears  hears hears hears hears hears  hears hears hears  hears -eye  -eye  -eye
seamless+llama       hears hears hears hears  hears hears hears hears hears  hears hears hears  hears -eye  -eye  -eye
"""
"""
hears   it answers the recordings
sees    it answers the images, with or without a recording beside them
reads   it takes no audio and says so; on the transcripts (input=gold) it answers
aside   it answers, with what it always writes (a transcript, a label): nothing is refused, the score is low
-rank   refused before any data are read: it gives no likelihoods
-ear, -eye, -mute, -tag
        refused sample by sample: it takes no audio; it takes no images; the sample has no audio, and it takes nothing
        else; a choice is none of its labels
"""

ANSWERS = ("hears", "sees", "aside")
REFUSALS: Mapping[str, str] = {
    "-ear": r"sample \S+ holds audio, which (\S+ does not take|a text model cannot read); put a stage before it",
    "-eye": r"sample \S+ holds image, which (\S+ does not take|a text model cannot read); put a stage before it",
    "-mute": r"sample \S+ has no audio, and this model answers audio alone",
    "-tag": r"sample \S+: choice '.+' is no label of \S+; its labels are female, male; say which one it is",
}
"""What an error row of a refused sample says; `reads` is refused like `-ear`."""


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """A column: a task of `conf/task` on a stand-in for its data.

    Args:
        task: its name.
        data: fixture that stands in; empty where the data are generated, or are the stamps of `conftest.py`.
        languages: those that are asked, two samples of each.
        change: settings of the task that differ.
    """

    task: str
    data: str = ""
    languages: tuple[str, ...] = ("eng_Latn", "fra_Latn")
    change: Mapping[str, Any] = field(default_factory=dict)


_ENGLISH, _FRENCH = ("eng_Latn",), ("fra_Latn",)
PROTOCOLS: Mapping[str, Protocol] = {
    "asr": Protocol(task="fleurs_asr", data="fleurs"),
    "st": Protocol(task="fleurs_translation", data="fleurs", languages=_FRENCH),
    "topic": Protocol(task="sib_fleurs_topic", data="sib_fleurs"),
    "topicG": Protocol(task="sib_fleurs_topic_generated", data="sib_fleurs"),
    "mcq": Protocol(task="belebele_fleurs_listening", data="belebele_fleurs"),
    "mcqG": Protocol(task="belebele_fleurs_listening_generated", data="belebele_fleurs"),
    "qa": Protocol(task="spoken_squad_qa", data="spoken_squad", languages=_ENGLISH),
    "mood": Protocol(task="wavllm_emotion", data="wavllm", languages=_ENGLISH),
    "gender": Protocol(task="voxpopuli_gender", data="voxpopuli"),
    "same": Protocol(task="wavllm_speakers", data="wavllm", languages=_ENGLISH),
    "chat": Protocol(task="adu_bench_multilingual", data="adu_bench", languages=_FRENCH),
    "follow": Protocol(task="voicebench_ifeval", data="voicebench", languages=_ENGLISH),
    "noise": Protocol(task="noise_rejection"),
    "name": Protocol(task="tuxpaint_naming"),
    "nameG": Protocol(task="tuxpaint_naming", change={"method": "generate", "prompt": "{input}\n{choices}\nAnswer:"}),
    "both": Protocol(task="tuxpaint_naming", change={"loader": {"input": "both"}}),
}
"""Capital G: the answer is generated, else the likelihood of choices is asked for. `same` is speaker verification,
`follow` instructions, `chat` open dialogue, `both` an image beside its spoken description."""


def cells() -> dict[tuple[str, str], str]:
    """The table by system and protocol."""
    header, *lines = (line.split() for line in TABLE.strip().splitlines())
    return {(name, protocol): word for name, *words in lines for protocol, word in zip(header, words, strict=True)}
