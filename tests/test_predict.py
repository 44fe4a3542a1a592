"""The loop: nothing is answered twice, nothing is lost, and what fails is alone in its row."""

from __future__ import annotations

import json
import logging
import weakref

import pytest

from mmbench.errors import CellError, ModelLoadError, SampleError, UsageError, one_line
from mmbench.predict import ATTEMPTS, Outcome, out_of_memory, predict
from mmbench.schema import Output
from mmbench.score import read_records
from tests.fakes import Answers, Broken, Listed, Ranks, Spy, choosing, said, sample, task


def stop_at(number):
    """Ctrl-C in the middle of the call of that number."""

    def act(batch, call):
        if call == number:
            raise KeyboardInterrupt

    return act


def fail(*names, error=ValueError("bad sample")):  # noqa: B008
    """An error for every batch that holds one of these samples."""

    def act(batch, call):
        if any(item.id in names for item in batch):
            raise error

    return act


def rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def answers(path):
    return {key: record.prediction for (*_, key), record in read_records(path, strict=False).items()}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "predictions.jsonl"


# Resume


def test_everything_is_answered_once(path):
    model = Spy()
    assert predict(task(20), model, path, batch_size=6) == Outcome(selected=20, resumed=0, answered=20, failed=0)
    assert sorted(model.asked) == [f"s{index:03}" for index in range(20)]
    assert {name: found.output.text for name, found in answers(path).items()} == {
        item.id: said(item) for item in task(20).samples()
    }


def test_finished_run_is_not_answered_or_loaded_again(path):
    predict(task(20), Spy(), path, batch_size=6)
    before, model = path.read_bytes(), Spy()
    outcome = predict(task(20), model, path, batch_size=6, begin=lambda: pytest.fail("begun"))
    assert outcome == Outcome(selected=20, resumed=20, answered=0, failed=0)
    assert (model.calls, model.loads, path.read_bytes()) == ([], 0, before)


@pytest.mark.parametrize("number", [1, 2, 4])
def test_interrupt_keeps_what_was_answered_and_batches_stay_the_same(tmp_path, path, number):
    whole, first, second = Spy(), Spy(act=stop_at(number)), Spy()
    predict(task(20), whole, tmp_path / "whole.jsonl", batch_size=6)
    with pytest.raises(KeyboardInterrupt):
        predict(task(20), first, path, batch_size=6)
    assert predict(task(20), second, path, batch_size=6).resumed == 6 * (number - 1)
    assert first.calls[:-1] + second.calls == whole.calls
    assert len(rows(path)) == 20


def test_torn_and_damaged_lines_are_answered_again(path, caplog):
    predict(task(8), Spy(), path, batch_size=3)
    lines = path.read_bytes().splitlines(keepends=True)
    lost = [json.loads(lines[index])["sample_id"] for index in (2, 7)]
    path.write_bytes(b"".join(lines[:2]) + lines[2][:20] + b"\n" + b"".join(lines[3:7]) + lines[7][:-9])
    model = Spy()
    assert predict(task(8), model, path, batch_size=3).answered == 2
    assert sorted(model.asked) == sorted(lost)
    assert len(answers(path)) == 8
    assert ":3: a damaged line is passed over" in caplog.text


def test_growing_limit_and_new_samples_answer_only_the_difference(path):
    model = Spy()
    assert predict(task(20), model, path, batch_size=4, limit=2).selected == 6
    assert predict(task(20), model, path, batch_size=4).answered == 14
    assert predict(task(22), model, path, batch_size=4).answered == 2
    assert len(model.asked) == len(set(model.asked)) == 22


def test_begin_is_between_loading_and_the_first_row(path):
    model, seen = Spy(), []
    predict(task(9), model, path, batch_size=2, begin=lambda: seen.append((model.loads, path.exists(), model.calls[:])))
    assert seen == [(1, False, [])]


def test_progress_counts_what_was_there_before(path):
    seen = []
    predict(task(9), Spy(), path, batch_size=4, limit=1)
    predict(task(9), Spy(act=fail("s008")), path, batch_size=4, progress=lambda *done: seen.append(done))
    assert [done for done, _ in seen] == [4, 8, 9]
    assert seen[-1][1] == 1


def test_duplicate_ids_are_refused(path):
    twice = task(loader=Listed(items=(sample(1), sample(2), sample(1))))
    with pytest.raises(UsageError, match="two samples have the id 's001'"):
        predict(twice, Spy(), path, batch_size=1)


# Failures


def test_d2_out_of_memory_on_every_second_call_loses_nothing(path):
    """D2: lmms-eval scored 32 of 64 answers as "" and said nothing, exit status 0."""

    def act(batch, call):
        if call % 2 == 0:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")

    assert predict(task(64), Spy(act=act), path, batch_size=8) == Outcome(64, 0, 64, 0)
    assert all(found.output.text for found in answers(path).values())


def test_bad_sample_is_alone_in_its_error_row(path, caplog):
    model = Spy(act=fail("s037"))
    assert predict(task(64), model, path, batch_size=64) == Outcome(64, 0, 64, 1)
    assert len(model.calls) == 1 + 2 * 6  # halved six times: 64 is 2 to the 6th
    errors = {name: found.error for name, found in answers(path).items() if found.error}
    assert {name: (error.kind, error.message) for name, error in errors.items()} == {
        "s037": ("ValueError", "bad sample")
    }
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == [
        "sample s037 failed: ValueError: bad sample"
    ]


def test_model_that_always_fails_loses_every_sample_and_says_so(path):
    names = [f"s{index:03}" for index in range(9)]
    assert predict(task(9), Spy(act=fail(*names)), path, batch_size=4) == Outcome(9, 0, 9, 9)
    assert all("error" in row and row["prediction"] is None for row in rows(path))


def test_single_sample_out_of_memory_is_tried_again(path):
    model = Spy(act=fail("s000", error=RuntimeError("CUDA out of memory")))
    assert predict(task(2), model, path, batch_size=2).failed == 1
    assert model.calls == [["s000", "s001"], *[["s000"]] * ATTEMPTS, ["s001"]]


def test_nothing_of_a_failed_call_is_alive_in_the_next(path):
    class Tensor:
        """Stands for gigabytes on an accelerator."""

    alive = weakref.WeakSet()

    def act(batch, call):
        assert not len(alive)
        tensor = Tensor()
        alive.add(tensor)
        if len(batch) > 1 or call % 2:
            raise RuntimeError("out of memory")

    assert predict(task(8), Spy(act=act), path, batch_size=8).failed == 0


def test_failed_samples_are_tried_again_only_if_asked(path):
    predict(task(9), Spy(act=fail("s003")), path, batch_size=4)
    model = Spy()
    assert predict(task(9), model, path, batch_size=4) == Outcome(9, 9, 0, 1)
    assert predict(task(9), model, path, batch_size=4, retry_failed=True) == Outcome(9, 8, 1, 0)
    assert model.calls == [["s003"]]
    assert answers(path)["s003"].error is None


@pytest.mark.parametrize("outputs", [[], [Output(text="a")] * 3, lambda batch: (Output(text="") for _ in range(9))])
def test_wrong_number_of_answers_ends_the_cell(path, outputs):
    with pytest.raises(CellError, match=r"gave \d answers to 2 samples; its wrapper is wrong"):
        predict(task(2), Answers(outputs=outputs), path, batch_size=2)
    assert rows(path) == []


@pytest.mark.parametrize("output", [None, "text", Output(text=None)])
def test_answer_that_is_none_ends_the_cell(path, output):
    with pytest.raises(CellError, match="answered sample s000 with no text; its wrapper is wrong"):
        predict(task(1), Answers(outputs=[output]), path, batch_size=1)


def test_wrong_number_of_scores_ends_the_cell(path):
    with pytest.raises(CellError, match="gave 3 scores to the 2 choices of sample"):
        predict(choosing(2), Ranks(scores=(0.0, 1.0, 2.0)), path, batch_size=2)


def test_scores_that_are_no_numbers_can_be_read_again(path):
    predict(choosing(2), Ranks(scores=(float("nan"), float("-inf"))), path, batch_size=2)
    assert predict(choosing(2), Ranks(scores=(0.0, 1.0)), path, batch_size=2).resumed == 2


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ModelLoadError("no weights; get them"), "no weights; get them"),
        (OSError("No such\nfile"), "model broken cannot be loaded: OSError: No such file"),
        (MemoryError(), "model broken cannot be loaded: MemoryError: "),
    ],
)
def test_model_that_cannot_be_loaded_ends_the_cell_before_any_row(path, error, words):
    with pytest.raises(ModelLoadError) as caught:
        predict(task(3), Broken(error=error), path, batch_size=1, begin=lambda: pytest.fail("begun"))
    assert str(caught.value) == words
    assert not path.exists()


def test_cell_error_of_a_model_ends_the_cell(path):
    with pytest.raises(CellError, match="the server is gone"):
        predict(task(9), Spy(act=fail("s000", error=CellError("the server is gone"))), path, batch_size=1)


def test_message_of_an_error_row_is_one_short_plain_line(path):
    error = SampleError("a\n\tb\x1b[31m \x00 \u2028 c\ud800 " + "x" * 9999)
    predict(task(1), Spy(act=fail("s000", error=error)), path, batch_size=1)
    message = rows(path)[0]["error"]["message"]
    assert message.startswith("a b [31m c xxx")
    assert message.endswith("...")
    assert (len(message), message.isprintable()) == (500, True)
    assert one_line(ValueError("नमस्ते")) == "नमस्ते"


def test_half_a_character_in_an_answer_costs_nothing(path):
    predict(task(1), Answers(outputs=[Output(text="a\ud83d b")]), path, batch_size=1)
    assert answers(path)["s000"].output.text == "a\ud83d b"


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (MemoryError(), True),
        (RuntimeError("MPS backend out of memory"), True),
        (type("OutOfMemoryError", (RuntimeError,), {})(), True),
        (RuntimeError("CUDA error: device-side assert"), False),
    ],
)
def test_out_of_memory(error, found):
    assert out_of_memory(error) is found


@pytest.mark.parametrize(
    ("transcribes", "target", "said"), [(True, "eng_Latn", 1), (True, None, 0), (False, "eng_Latn", 0)]
)
def test_a_recogniser_that_is_asked_for_a_translation_is_said_to_be_none(tmp_path, caplog, transcribes, target, said):
    items = tuple(sample(index, language="fra_Latn", target_language=target) for index in range(20))
    model = Spy()
    model.transcribes = transcribes
    predict(task(loader=Listed(items=items)), model, tmp_path / "p.jsonl", batch_size=4)
    assert caplog.text.count("only transcribes, and the task asks for a translation") == said
