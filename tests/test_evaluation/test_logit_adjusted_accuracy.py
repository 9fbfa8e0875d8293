"""LogitAdjustedAccuracy against a loop, and where its counts come from."""
import math

import pytest

from gssl_mm.evaluation.utils import COUNTS_KEY

COUNTS = [500, 101, 100, 20, 19, 1]


def naive(scores, labels, tau):
    right = 0
    for score, label in zip(scores.tolist(), labels.tolist(), strict=True):
        adjusted = [math.log(p) - tau * math.log(n / sum(COUNTS))
                    for p, n in zip(score, COUNTS, strict=True)]
        right += max(range(6), key=adjusted.__getitem__) == label
    return 100 * right / len(labels)


def test_equals_a_loop(metric, run_metric, guesses):
    taus = (0., 0.3, 1., 2.)
    found = run_metric(metric(
        'LogitAdjustedAccuracy', taus=taus, class_counts=COUNTS), *guesses)
    assert found == pytest.approx({
        f'adjusted/tau{tau:g}': naive(*guesses, tau) for tau in taus})
    assert len(set(found.values())) > 2


def test_no_strength_is_plain_accuracy(metric, run_metric, guesses):
    scores, labels = guesses
    found = run_metric(metric(
        'LogitAdjustedAccuracy', taus=[0.], class_counts=COUNTS), *guesses)
    plain = (scores.argmax(1) == labels).double().mean().item()
    assert found == {'adjusted/tau0': pytest.approx(100 * plain)}


def test_counts_are_those_of_the_run(metric, run_metric, guesses,
                                     nothing_published):
    ours = metric('LogitAdjustedAccuracy')
    assert ours.needs_class_counts
    with pytest.raises(ValueError, match='ClassCountsHook'):
        run_metric(ours, *guesses)
    nothing_published.update_info(COUNTS_KEY, COUNTS, resumed=False)
    found = run_metric(metric('LogitAdjustedAccuracy'), *guesses)
    assert found['adjusted/tau1'] == pytest.approx(naive(*guesses, 1.))


def test_a_class_without_probability_stays_last(metric, run_metric, guesses):
    scores, labels = guesses
    scores = scores.clone()
    scores[:, 5] = 0
    found = run_metric(metric(
        'LogitAdjustedAccuracy', class_counts=COUNTS), scores, labels * 0 + 5)
    assert found == {'adjusted/tau1': 0}


@pytest.mark.parametrize('counts, match', [
    ([1, 2, 3], 'num_classes'), ([1, 2, 3, 4, 5, 0], 'no training sample')])
def test_counts_that_do_not_fit_are_named(metric, run_metric, guesses, counts,
                                          match):
    with pytest.raises(ValueError, match=match):
        run_metric(metric(
            'LogitAdjustedAccuracy', class_counts=counts), *guesses)
