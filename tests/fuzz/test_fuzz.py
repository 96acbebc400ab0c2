"""A slice of the fuzzing: the corpus, a few hundred new inputs, and that the loop finds what is hidden."""

from __future__ import annotations

import random

import pytest

from tests.fuzz.fuzzing import BrokenError, changed, corpus, fewest, fuzz
from tests.fuzz.targets import TARGETS, WORDS, seeds

FEW = {"profile": 40, "table": 250, "texts": 400}


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_nothing_the_fuzzing_ever_found_new_breaks_a_target(name: str) -> None:
    assert corpus(name), "there is a corpus"
    for data in [*seeds(name), *corpus(name)]:
        TARGETS[name](data)


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_a_few_new_inputs_break_no_target(name: str) -> None:
    dice, pool = random.Random(FEW[name]), [*seeds(name), *corpus(name)]
    for _ in range(FEW[name]):
        TARGETS[name](changed(dice.choice(pool), pool, WORDS[name], dice))


def hidden(data: bytes) -> None:
    """Breaks behind four doors, each of which only coverage tells that it was opened."""
    for at, letter in enumerate(b"icp!"):
        if data[at : at + 1] != bytes([letter]):
            return
        if letter == ord("i"):
            continue
        if letter == ord("c"):
            continue
        if letter == ord("p"):
            continue
    raise ValueError("found")


def test_the_loop_is_led_by_what_it_reaches() -> None:
    letters = [b"a", b"c", b"i", b"p", b"!", b"z"]
    with pytest.raises(BrokenError) as broken:
        fuzz(hidden, [b""], letters, dice=random.Random(1), most=30_000, watched=__file__)
    assert broken.value.data.startswith(b"icp!")
    assert isinstance(broken.value.__cause__, ValueError)


def test_a_corpus_holds_no_input_that_reaches_nothing_new() -> None:
    assert fewest(hidden, [b"", b"i", b"ic", b"ix", b"x", b"y"], watched=__file__) == [b"", b"i", b"ic"]
