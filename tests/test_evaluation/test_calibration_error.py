"""CalibrationError against a loop over bins and samples."""
import csv
import math

import numpy as np
import pytest
import torch


def naive(scores, labels, num_bins):
    """ECE in percent and NLL, sample by sample, bin by bin."""
    n, ece = len(scores), 0.
    for m in range(num_bins):
        inside = []
        for score, label in zip(
                scores.double().tolist(), labels.tolist(), strict=True):
            confidence = max(score)
            if m / num_bins < confidence <= (m + 1) / num_bins:
                inside.append((confidence, score.index(confidence) == label))
        if inside:
            accuracy = sum(hit for _, hit in inside) / len(inside)
            confidence = sum(c for c, _ in inside) / len(inside)
            ece += len(inside) / n * abs(accuracy - confidence)
    nll = -sum(
        math.log(score[label]) for score, label in zip(
            scores.double().tolist(), labels.tolist(), strict=True)) / n
    return {'calibration/ece': 100 * ece, 'calibration/nll': nll}


@pytest.mark.parametrize('num_bins', [1, 10, 15])
def test_equals_a_loop(metric, run_metric, guesses, num_bins):
    ours = run_metric(metric('CalibrationError', num_bins=num_bins), *guesses)
    assert ours == pytest.approx(naive(*guesses, num_bins), rel=1e-6)
    assert ours['calibration/ece'] > 0.1


def test_default_is_fifteen_bins(metric, run_metric, guesses):
    calibration = metric('CalibrationError')
    ours = run_metric(calibration, *guesses)
    assert ours == pytest.approx(naive(*guesses, 15), rel=1e-6)
    assert len(calibration.bins['count']) == 15


def test_confidences_on_the_edges(metric, run_metric):
    """An edge belongs to the bin below it, 1 to the last."""
    scores = torch.tensor([[.5, .5], [1., 0.], [.75, .25], [.25, .75]])
    labels = torch.tensor([0, 0, 1, 1])
    calibration = metric('CalibrationError', num_bins=4)
    ours = run_metric(calibration, scores, labels)
    assert calibration.bins['count'].tolist() == [0, 1, 2, 1]
    # |1 - .5| / 4 + |.5 - .75| * 2 / 4 + 0
    assert ours['calibration/ece'] == pytest.approx(25.)
    assert ours['calibration/nll'] == pytest.approx(
        -np.log([.5, 1, .25, .75]).mean())


def test_known_extremes(metric, run_metric):
    sure = torch.eye(4)
    labels = torch.arange(4)
    assert run_metric(metric('CalibrationError'), sure, labels) == {
        'calibration/ece': 0., 'calibration/nll': 0.}
    wrong = run_metric(metric('CalibrationError'), sure, labels.roll(1))
    assert wrong['calibration/ece'] == 100.
    assert wrong['calibration/nll'] == pytest.approx(87.3365, abs=1e-3)
    even = run_metric(
        metric('CalibrationError'), torch.full((4, 4), .25), labels)
    assert even['calibration/ece'] == pytest.approx(0., abs=1e-9)
    assert even['calibration/nll'] == pytest.approx(math.log(4))


def test_bins_for_a_reliability_diagram(metric, run_metric, guesses,
                                        tmp_path):
    path = tmp_path / 'bins.csv'
    calibration = metric('CalibrationError', bins_csv=str(path))
    result = run_metric(calibration, *guesses)
    bins = calibration.bins
    assert bins['count'].sum() == len(guesses[0])
    filled = bins['count'] > 0
    assert np.isnan(bins['accuracy'][~filled]).all() and not filled.all()
    inside = bins['confidence'][filled]
    assert (inside > bins['lower'][filled]).all()
    assert (inside <= bins['upper'][filled]).all()
    gap = np.abs(bins['accuracy'] - bins['confidence'])[filled]
    ece = 100 * (gap * bins['count'][filled]).sum() / len(guesses[0])
    assert ece == pytest.approx(result['calibration/ece'])
    with path.open(newline='') as file:
        rows = list(csv.DictReader(file))
    assert [int(r['count']) for r in rows] == bins['count'].tolist()
    for key in ('lower', 'upper', 'accuracy', 'confidence'):
        np.testing.assert_allclose([float(r[key]) for r in rows], bins[key])


def test_bfloat16_scores(metric, run_metric, guesses):
    scores, labels = guesses
    rounded = run_metric(
        metric('CalibrationError'), scores.bfloat16(), labels)
    exact = naive(scores, labels, 15)
    assert rounded['calibration/nll'] == pytest.approx(
        exact['calibration/nll'], rel=0.01)


@pytest.mark.parametrize('scores', [
    torch.tensor([[3., 1.]]),
    torch.tensor([[.9, .9]]),
    torch.tensor([[1.5, -.5]]),
    torch.tensor([[float('nan'), 0.]]),
])
def test_scores_that_are_no_probabilities(metric, run_metric, scores):
    with pytest.raises(ValueError, match='probabilities'):
        run_metric(metric('CalibrationError'), scores, torch.tensor([0]))


def test_bad_number_of_bins(metric):
    with pytest.raises(ValueError, match='at least 1, got 0'):
        metric('CalibrationError', num_bins=0)
