import math
import statistics

import pytest

from gssl_mm.tooling.paired_stats import (
    mean,
    paired_by_seed,
    paired_difference,
    sample_sd,
    t_quantile,
)


# Published tables of Student's t, two-sided 90, 95 and 99 %
@pytest.mark.parametrize(('freedom', 'values'), [
    (1, (6.313751514675, 12.706204736175, 63.656741162872)),
    (2, (2.919985580356, 4.302652729749, 9.924843200918)),
    (4, (2.131846786327, 2.776445105198, 4.604094871350)),
    (9, (1.833112932656, 2.262157162798, 3.249835541592)),
    (30, (1.697260886593, 2.042272456301, 2.749995653567))])
def test_quantiles_of_the_published_tables(freedom, values):
    for confidence, value in zip((.9, .95, .99), values, strict=True):
        upper = (1 + confidence) / 2
        assert t_quantile(upper, freedom) == pytest.approx(value, rel=1e-9)
        assert t_quantile(1 - upper, freedom) == pytest.approx(-value)


@pytest.mark.parametrize('probability', [.5, .6, .75, .9, .999, .0003])
def test_quantiles_in_closed_form(probability):
    # One degree of freedom is Cauchy's distribution, two have a root
    angle = math.pi * (probability - .5)
    assert t_quantile(probability, 1) == pytest.approx(math.tan(angle))
    p = probability
    assert t_quantile(p, 2) == pytest.approx(
        (2 * p - 1) / math.sqrt(2 * p * (1 - p)), abs=1e-9)


def test_many_degrees_of_freedom_are_normal():
    normal = statistics.NormalDist().inv_cdf(.975)
    assert t_quantile(.975, 1e7) == pytest.approx(normal, rel=1e-6)


def test_scipy_agrees_where_it_is_installed():
    stats = pytest.importorskip('scipy.stats')
    for freedom in (1, 2, 3, 5, 8, 17, 100):
        for p in (.55, .8, .95, .975, .995):
            assert t_quantile(p, freedom) == pytest.approx(
                stats.t.ppf(p, freedom), rel=1e-9)
    a, b = [81.2, 80.4, 82.5, 81.9, 80.8], [80.9, 80.6, 81.2, 81.1, 80.]
    theirs = stats.ttest_rel(a, b).confidence_interval(.9)
    ours = paired_difference(a, b, .9)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))


def test_interval_of_five_pairs():
    a, b = [81.2, 80.4, 82.5, 81.9, 80.8], [80.9, 80.6, 81.2, 81.1, 80.]
    found = paired_difference(a, b)
    apart = [.3, -.2, 1.3, .8, .8]
    centre = sum(apart) / 5
    sd = math.sqrt(sum((d - centre) ** 2 for d in apart) / 4)
    half = 2.776445105198 * sd / math.sqrt(5)
    assert found.n == 5 and found.mean == pytest.approx(centre)
    assert found.sd == pytest.approx(sd)
    assert (found.low, found.high) == pytest.approx(
        (centre - half, centre + half))
    assert found.text() == f'+0.60 [{centre - half:+.2f}, {centre + half:+.2f}]'
    # Pairing matters: order changes the interval, not the mean
    other = paired_difference(a, b[::-1])
    assert other.mean == pytest.approx(centre)
    assert other.sd != pytest.approx(sd)
    assert paired_difference(b, a).high == pytest.approx(-found.low)
    assert paired_difference(a, b, .99).low < found.low


def test_one_pair_has_no_interval():
    found = paired_difference([81.], [80.5])
    assert (found.n, found.mean) == (1, .5)
    assert found.sd is found.low is found.high is None
    assert found.text() == '+0.50'


def test_pairs_of_seeds():
    found = paired_by_seed({0: 1., 2: 5., 9: 7.}, {9: 1., 0: .5, 3: 4.})
    assert found.n == 2 and found.mean == pytest.approx(3.25)
    assert paired_by_seed({0: 1.}, {1: 1.}) is None


def test_means():
    assert mean([1, 2, 6]) == 3 and sample_sd([4.]) is None
    assert sample_sd([1, 2, 6]) == pytest.approx(math.sqrt(7))


@pytest.mark.parametrize(('call', 'message'), [
    (lambda: paired_difference([1.], [1., 2.]), 'same seeds'),
    (lambda: paired_difference([], []), 'finite'),
    (lambda: paired_difference([1., math.nan], [1., 2.]), 'finite'),
    (lambda: paired_difference([1.], [1.], 95), 'confidence'),
    (lambda: mean([]), 'finite'),
    (lambda: sample_sd([math.inf]), 'finite'),
    (lambda: t_quantile(1, 3), 'probability'),
    (lambda: t_quantile(.9, 0), 'freedom')])
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
