"""Windows lose nothing, cut no sentence that fits, and never exceed the budget."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_radsent.classifier.transformer.windows import Window, context_windows, report_windows

LENGTHS = st.lists(st.integers(1, 90), max_size=40)
BUDGETS = st.integers(12, 80)


def bounds(lengths):
    starts = [sum(lengths[:i]) for i in range(len(lengths) + 1)]
    return list(itertools.pairwise(starts))


def assert_sound(windows, lengths, budget):
    end = 0
    for window in windows:
        assert 0 <= window.start <= window.core_start < window.core_end <= window.end <= sum(lengths)
        assert window.end - window.start <= budget
        assert window.core_start == end
        end = window.core_end
    assert end == sum(lengths)


@given(LENGTHS, BUDGETS)
def test_report_windows_judge_every_piece_once(lengths, budget):
    windows = report_windows(lengths, budget)
    assert_sound(windows, lengths, budget)
    ends = {window.core_end for window in windows} | {window.core_start for window in windows}
    for start, end in bounds(lengths):
        if end - start <= budget:
            assert not any(start < cut < end for cut in ends)


@given(LENGTHS, BUDGETS)
def test_report_windows_are_as_full_as_can_be(lengths, budget):
    windows = report_windows(lengths, budget)
    if sum(lengths) <= budget:
        assert len(windows) == bool(lengths)
    else:
        assert {window.end - window.start for window in windows} == {budget}


@given(LENGTHS, BUDGETS, st.integers(0, 3), st.integers(0, 3))
def test_context_windows_hold_a_sentence_and_its_neighbours(lengths, budget, before, after):
    windows = context_windows(lengths, budget, before, after)
    assert_sound(windows, lengths, budget)
    places = bounds(lengths)
    for i, (start, end) in enumerate(places):
        low, high = places[max(0, i - before)][0], places[min(len(lengths) - 1, i + after)][1]
        own = [window for window in windows if start <= window.core_start < end]
        assert all(low <= window.start and window.end <= high for window in own)
        if end - start <= budget:
            (window,) = own
            assert (window.core_start, window.core_end) == (start, end)
            assert window.end - window.start == min(budget, high - low)


def test_neighbours_are_cut_at_their_far_ends_first():
    assert context_windows([10, 10, 10], 20, 2, 2)[1] == Window(5, 10, 20, 25)
    assert context_windows([2, 10, 30], 20, 2, 2)[1] == Window(0, 2, 12, 20)
    assert context_windows([5, 20, 5], 20, 2, 2)[1] == Window(5, 5, 25, 25)


def test_a_sentence_longer_than_the_budget_is_read_in_parts_that_overlap():
    windows = context_windows([5, 50, 5], 20, 2, 2)[1:-1]
    assert [(window.core_start, window.core_end) for window in windows] == [(5, 17), (17, 30), (30, 42), (42, 55)]
    assert all(earlier.end > later.start for earlier, later in itertools.pairwise(windows))


@pytest.mark.parametrize("lengths", [[], [1], [512], [2000, 1, 3000], [1] * 2000])
def test_reports_of_any_size(lengths):
    assert_sound(report_windows(lengths, 510), lengths, 510)
    assert_sound(context_windows(lengths, 508, 2, 2), lengths, 508)
