"""Frames: the Jinja templates that stand around a question, a model's own or made from `MultimodalLM.template`.

Both go one way through `apply_chat_template`, where literal placeholders in a question ("<|AUDIO|>", "<image>") stay
plain text.
"""

from __future__ import annotations

import json
import re
import string
from typing import TYPE_CHECKING, Any

from mmbench.errors import ModelLoadError, UsageError
from mmbench.models.generation import on_one_day

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mmbench.models.conversation import Conversation

_FIELDS: Mapping[str, str] = {"input": "text audio image", "prompt": "text", "audio": "audio", "image": "image"}
"""Fields of a template, and the blocks that each of them stands for."""
_MEDIA = ("audio", "image")
_PROBE = "mmbench probes this template"


def check_frame(name: str, template: str | None, around_audio: str, system: str | None) -> None:
    """Refuse a template that cannot be filled.

    Raises:
        UsageError: it has an unknown field, or none for the question.
    """
    where = f"model {name}: template"
    if template is None:
        if around_audio != "{audio}":
            raise UsageError(f"model {name}: around_audio belongs to a template; this model uses its chat template")
        return
    fields = _fields(template, where)
    if unknown := fields - set(_FIELDS):
        raise UsageError(f"{where}: {{{min(unknown)}}} is not known; use {{{'}, {'.join(_FIELDS)}}}")
    if not fields & {"input", "prompt"}:
        raise UsageError(f"{where}: nothing stands for the question; add {{input}}, or {{prompt}} and {{audio}}")
    if "input" in fields and len(fields) > 1:
        raise UsageError(
            f"{where}: {{input}} holds all parts already; leave out the other fields or leave out {{input}}"
        )
    if _fields(around_audio, f"model {name}: around_audio") != {"audio"}:
        raise UsageError(f"model {name}: around_audio={around_audio!r} needs {{audio}} and no other field")
    if system is not None:
        raise UsageError(f"model {name}: a template holds its own system message; leave out model.system")


def _fields(template: str, where: str) -> set[str]:
    try:
        return {field for _, field, _, _ in string.Formatter().parse(template) if field is not None}
    except ValueError as error:
        raise UsageError(f"{where}: {error}; write {{{{ and }}}} for literal braces") from error


def unframed(template: str | None, conversation: Conversation) -> str | None:
    """The kind of media in a conversation for which a template has no place; None where all of them have one."""
    if template is None:
        return None
    places = " ".join(_FIELDS[field] for field in _fields(template, "template"))
    held = {"audio": len(conversation.clips), "image": conversation.images}
    return next((kind for kind, count in held.items() if count and kind not in places), None)


def frame(template: str, around_audio: str, processor: Any) -> str:
    """The Jinja template that does what a template of `MultimodalLM.template` says."""
    around = "".join(literal(text) + ("{{ AUDIO }}" if field else "") for text, field, _, _ in _parse(around_audio))
    shown = {"text": "{{ b.text }}", "audio": around.replace("{{ AUDIO }}", _token(processor, "audio"))}
    shown["image"] = literal(mark(processor, "image"))
    pieces = []
    for text, field, _, _ in _parse(template):
        pieces.append(literal(text))
        for_kind = "".join(
            f"{{% if b.type == '{kind}' %}}{shown[kind]}{{% endif %}}" for kind in _FIELDS.get(field or "", "").split()
        )
        pieces.append(f"{{% for b in messages[-1].content %}}{for_kind}{{% endfor %}}" if field else "")
    return "".join(pieces)


def _parse(template: str) -> list[tuple[str, str | None, str | None, str | None]]:
    return list(string.Formatter().parse(template))


def literal(text: str) -> str:
    """A text as a Jinja expression."""
    return f"{{{{ {json.dumps(text, ensure_ascii=False)} }}}}" if text else ""


def _token(processor: Any, kind: str) -> str:
    """The model's own placeholder as a Jinja expression; nothing where it has none, as no such part gets that far."""
    return literal(getattr(processor, f"{kind}_token", None) or "")


def mark(processor: Any, kind: str) -> str:
    """What stands for a medium in a text: what the model's own chat template writes between two texts.

    It is more than the placeholder where a model was trained with a begin and an end around it (Qwen2-VL), by which it
    tells images in a row apart. The placeholder alone is for a model without such a template, or whose template moves
    all media before the text (LLaVA-1.5).
    """
    token = getattr(processor, f"{kind}_token", None) or ""
    template = _template(processor)
    if not template or not token:
        return token
    edge = {"type": "text", "text": _PROBE}
    turn = {"role": "user", "content": [edge, {"type": kind}, edge]}
    try:
        shown = str(processor.apply_chat_template([turn], chat_template=template))
    except Exception:  # templates raise what they like where they want strings, or no such medium
        return token
    _, first, rest = shown.partition(_PROBE)
    between, last, _ = rest.partition(_PROBE)
    return between if first and last and token in between else token


def placeholders(processor: Any) -> frozenset[int]:
    """The tokens that stand for media."""
    found = (getattr(processor, f"{kind}_token_id", None) for kind in (*_MEDIA, "video"))
    return frozenset(int(token) for token in found if token is not None)


def _template(processor: Any) -> str | None:
    found = getattr(processor, "chat_template", None) or getattr(processor.tokenizer, "chat_template", None)
    return found.get("default") if isinstance(found, dict) else found


def own_frame(name: str, processor: Any) -> str:
    """The model's own chat template, made to take blocks where it knows strings alone.

    Raises:
        ModelLoadError: it has none.
    """
    template = _template(processor)
    if not template:
        raise ModelLoadError(
            f"model {name}: it has no chat template; set model.template, such as '{{input}}\\nAnswer:'"
        )
    template = on_one_day(template)
    return _flatten(processor) + template if "'type'" in _probe(processor, template) else template


def _flatten(processor: Any) -> str:
    """Jinja that makes one string of the blocks of each message; a template of strings would print them as a list."""
    media = "".join(
        f"{{% elif b.type == '{kind}' %}}{{% set own.text = own.text + {_token(processor, kind)[3:-3] or repr('')} %}}"
        for kind in _MEDIA
    )
    return (
        "{% set all = namespace(messages=[]) %}{% for m in messages %}{% set own = namespace(text='') %}"
        "{% for b in m.content %}{% if b.type == 'text' %}{% set own.text = own.text + b.text %}"
        + media
        + "{% endif %}{% endfor %}{% set all.messages = all.messages + [{'role': m.role, 'content': own.text}] %}"
        "{% endfor %}{% set messages = all.messages %}"
    )


def _probe(processor: Any, template: str) -> str:
    turn = {"role": "user", "content": [{"type": "text", "text": _PROBE}]}
    return str(processor.apply_chat_template([turn], chat_template=template, add_generation_prompt=True))


def begun(processor: Any, template: str) -> str:
    """The template with the token that begins a text before it, where the tokenizer would add that by itself."""
    tokenizer = processor.tokenizer
    start = tokenizer.bos_token
    adds = start is not None and tokenizer("a")["input_ids"][:1] == [tokenizer.bos_token_id]
    return literal(start) + template if adds and not _probe(processor, template).startswith(start) else template


def count_placeholders_of_frame(processor: Any) -> None:
    """Keep a processor from counting literal placeholders in a question, which are marked as plain text by then.

    Most leave them out by themselves; those of the Omni models refuse the question.
    """
    from transformers.utils import chat_template_utils as marks

    start, end = getattr(marks, "_CONTROL_TOKEN_START", None), getattr(marks, "_CONTROL_TOKEN_END", None)
    if start is None or not hasattr(processor, "validate_inputs"):
        return
    marked, check = re.compile(f"{start}.*?{end}", re.DOTALL), processor.validate_inputs

    def validate(*args: Any, text: Any = None, **media: Any) -> None:
        check(*args, text=[marked.sub("", each) for each in text] if isinstance(text, list) else text, **media)

    processor.validate_inputs = validate
