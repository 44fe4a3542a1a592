"""Answers that decline are found in many languages, and ordinary text, transcripts above all, is not taken for one."""

from __future__ import annotations

import csv
import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.refusals import _rows, refused

SAMPLES = Path(__file__).resolve().parents[1] / "../shared/samples"

DECLINED = [
    ("eng_Latn", "I'm sorry, but I can't help with that."),
    ("eng_Latn", "I\u2019m sorry, but I can\u2019t assist with that request."),
    ("eng_Latn", "**Sorry**, I am unable to transcribe this audio."),
    ("eng_Latn", "As an AI language model, I cannot listen to recordings."),
    ("eng_Latn", "As an AI, I'm currently only able to process and understand text in English."),
    ("eng_Latn", "I am an AI assistant developed by a company and I do not have opinions."),
    ("eng_Latn", "I apologize, but as a large language model, I can't answer this question."),
    ("eng_Latn", "Unfortunately, I am not able to provide a translation of this text."),
    ("eng_Latn", "I cannot fulfill your request."),
    ("eng_Latn", "I must decline to answer."),
    ("eng_Latn", "> \"I'm sorry, but I can't answer that question.\""),
    ("eng_Latn", "<think>I'd better not.\n</think>\n\nI'm sorry, I can't comply."),
    ("fra_Latn", "Je suis désolé, mais je ne peux pas vous aider avec cette demande."),
    ("fra_Latn", "En tant qu'IA, je ne peux pas écouter d'enregistrements."),
    ("spa_Latn", "Lo siento, pero no puedo ayudarte con eso."),
    ("spa_Latn", "Lo siento. Como modelo de lenguaje, no tengo acceso al audio."),
    ("por_Latn", "Desculpe, mas não posso responder a essa pergunta."),
    ("deu_Latn", "Es tut mir leid, aber dabei kann ich Ihnen leider nicht helfen."),
    ("deu_Latn", "Als KI-Sprachmodell kann ich keine Audiodateien anhören."),
    ("ita_Latn", "Mi dispiace, ma non posso aiutarti con questa richiesta."),
    ("nld_Latn", "Het spijt me, maar ik kan je daar niet mee helpen."),
    ("swe_Latn", "Tyvärr kan jag inte hjälpa till med det."),
    ("pol_Latn", "Przepraszam, ale nie mogę pomóc w tej sprawie."),
    ("ces_Latn", "Omlouvám se, ale s tím vám nemohu pomoci."),
    ("ron_Latn", "Îmi pare rău, dar nu pot să răspund la această întrebare."),
    ("hun_Latn", "Sajnálom, de ebben nem tudok segíteni."),
    ("rus_Cyrl", "Извините, но я не могу помочь с этим запросом."),
    ("rus_Cyrl", "Как языковая модель, я не могу прослушивать аудио."),
    ("ukr_Cyrl", "Вибачте, але я не можу допомогти з цим запитом."),
    ("ell_Grek", "Λυπάμαι, αλλά δεν μπορώ να βοηθήσω με αυτό."),
    ("tur_Latn", "Üzgünüm, ancak bu konuda yardımcı olamam."),
    ("tur_Latn", "Bir yapay zekâ dil modeli olarak ses dosyalarını dinleyemem."),
    ("arb_Arab", "أنا آسف، لا أستطيع مساعدتك في هذا الطلب."),
    ("arz_Arab", "عذرًا، لا يمكنني تقديم هذه المعلومات."),
    ("pes_Arab", "متأسفم، اما نمی\u200cتوانم به این سؤال پاسخ دهم."),
    ("urd_Arab", "معذرت، میں اس سوال کا جواب نہیں دے سکتا۔"),
    ("heb_Hebr", "אני מצטער, אבל אני לא יכול לעזור בזה."),
    ("hin_Deva", "मुझे खेद है, लेकिन मैं इसमें आपकी मदद नहीं कर सकता।"),
    ("hin_Deva", "माफ़ करें, मैं इस प्रश्न का उत्तर नहीं दे सकता।"),
    ("ben_Beng", "আমি দুঃখিত, কিন্তু আমি এই প্রশ্নের উত্তর দিতে পারছি না।"),
    ("zho_Hans", "很抱歉，我无法回答这个问题。"),
    ("zho_Hans", "作为一个人工智能语言模型，我无法收听音频。"),
    ("zho_Hant", "抱歉，我無法提供協助。"),
    ("jpn_Jpan", "申し訳ありませんが、そのご質問にはお答えできません。"),
    ("jpn_Jpan", "申し訳ございません。その内容の文字起こしはできません。"),
    ("kor_Hang", "죄송하지만 그 요청은 도와드릴 수 없습니다."),
    ("vie_Latn", "Tôi xin lỗi, nhưng tôi không thể giúp bạn với yêu cầu này."),
    ("ind_Latn", "Maaf, saya tidak dapat membantu dengan permintaan tersebut."),
    ("zsm_Latn", "Maaf, saya tidak boleh menjawab soalan itu."),
    ("tha_Thai", "ขออภัย ฉันไม่สามารถช่วยเรื่องนั้นได้"),
    ("swh_Latn", "Samahani, siwezi kukusaidia na ombi hilo."),
]


@pytest.mark.parametrize(("language", "text"), DECLINED)
def test_found(language, text):
    assert refused(text, language)
    assert refused(text), "where the language is not known, all are looked for"
    assert refused(f"\n {text} But what follows may be long. " + "x " * 1000, language)


def test_every_language_of_the_table_is_tried_above():
    tried = {language.partition("_")[0] for language, _ in DECLINED}
    assert set(_rows()) <= tried
    assert len(_rows()) == 29


def test_english_is_looked_for_in_every_language():
    assert refused("I'm sorry, but I can't assist with that.", "yor_Latn")
    assert refused("I'm sorry, but I can't assist with that.", "jpn_Jpan")
    assert not refused("Lo siento, pero no puedo ayudarte con eso.", "jpn_Jpan")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \n",
        "I cannot swim because the water is cold.",
        "I'm sorry.",
        "I'm sorry I am late, the train was cancelled.",
        "I'm sorry, I can't hear you.",
        "Sorry, the shop is closed. We can help you tomorrow.",
        "She said: I'm sorry, but I can't help with that.",
        "The answer is B. As an AI language model, I cannot be certain.",
        "As an AI researcher, I cannot agree with this.",
        "As an AI language model, I am happy to help: the answer is B.",
        "I'm sorry, but the text provided is in Swahili and it's about sports.",
        "As an AI, I'm able to understand multiple languages.",
        "I can't help falling in love with you.",
        "We provide help to those who cannot.",
        "<think>I'm sorry, but I can't assist with that.",
        "<think>I'm sorry, but I can't assist with that.</think> B",
        "Unfortunately the bridge has not been repaired since the flood.",
        "Je suis désolé pour le retard.",
        "Lo siento mucho por tu pérdida.",
        "Leider regnet es, und wir können nicht schwimmen.",
        "К сожалению, сегодня идёт дождь.",
        "很抱歉，今天下雨。",
        "申し訳ありませんが、明日は休みです。",
        "죄송하지만 내일은 쉽니다.",
        "Samahani, treni imechelewa.",
        "ขออภัย วันนี้ร้านปิด",
        "आज बारिश हो रही है और मैं बाहर नहीं जा सकता।",
    ],
)
def test_not_taken_for_one(text):
    assert not refused(text)


@given(st.text(max_size=200))
def test_any_text_is_taken(text):
    assert refused(text) in (True, False)
    assert refused(text, "tha_Thai") in (True, False)


@pytest.mark.parametrize(
    "unit", [" ", "a", "sorry ", "<think>", "i'm sorry, ", "*", "as an ai, i ", "\u0622", "I am an AI and ", "很抱歉,"]
)
def test_ten_megabytes_take_no_time(unit):
    text = unit * (10_000_000 // len(unit))
    refused("warm up")
    begin = time.perf_counter()
    refused(text)
    assert time.perf_counter() - begin < 2


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def real_texts() -> list[str]:
    found = []
    for path in SAMPLES.glob("audiobench-logs/*_wer_score.json"):
        for row in json.loads(path.read_text(encoding="utf-8"))["sample_wer"]:
            found += [row["reference"], row["prediction"]]
    for path in SAMPLES.glob("sib-200/test.*.tsv"):
        found += [row["text"] for row in rows(path)]
    for path in SAMPLES.glob("commute/*correct*"):
        found += path.read_text(encoding="utf-8").splitlines()
    return found


def test_no_real_sentence_is_taken_for_a_refusal():
    texts = real_texts()
    if not texts:
        pytest.skip("the samples are not here")
    assert len(texts) > 2000
    assert [text for text in texts if refused(text)] == []


@pytest.mark.parametrize(("language", "declined"), [("eng_Latn", 1), ("swh_Latn", 7)])
def test_refusals_of_a_published_run(language, declined):
    """GPT-4 on SIB-200: in Swahili it more often declines, as its text is not in English."""
    path = SAMPLES / f"sib-200/gpt4_output.{language}.tsv"
    if not path.exists():
        pytest.skip("the samples are not here")
    answers = [row["gpt-4"].strip('"') for row in rows(path)]
    found = [answer for answer in answers if refused(answer, language)]
    assert all(answer.startswith(("As an AI", "I'm sorry")) for answer in found)
    assert len(found) == declined
