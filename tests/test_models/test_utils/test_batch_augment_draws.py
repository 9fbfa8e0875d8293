"""What is drawn, against the published tables written out once more."""
import math

import pytest
import torch

from gssl_mm.models.utils import step_random
from gssl_mm.models.utils.batch_augment import OPERATIONS
from gssl_mm.registry import TASK_UTILS

POOL = {'Identity', 'AutoContrast', 'Equalize', 'Rotate', 'Solarize', 'Color',
        'Contrast', 'Brightness', 'Sharpness', 'ShearX', 'ShearY',
        'TranslateX', 'TranslateY', 'Posterize'}
FACTORS = ('Color', 'Contrast', 'Brightness', 'Sharpness')
N = 60000


def build(variant, **kwargs):
    return TASK_UTILS.build(dict(
        type='gssl_mm.BatchRandAugment', variant=variant, **kwargs))


def level_value(variant, name, level, width):
    """The published value of an integer level 1..9."""
    if name in FACTORS:
        return (0.1 + 0.18 * level if variant == 'fm'
                else 0.05 + 0.09 * level)
    if name == 'Posterize':
        steps = math.floor(level * 4 / 10)
        return 4 - steps if variant == 'fm' else 4 + steps
    if name == 'Solarize':
        return 256 - math.floor(level * 256 / 10)
    if name == 'Rotate':
        return 3 * level
    if name.startswith('Shear'):
        return 0.03 * level
    if name.startswith('Translate'):
        return (level if variant == 'fm'
                else math.floor(0.03 * level * width + 1e-9))
    return 0


def by_operation(draws):
    operations, magnitudes = draws[0].flatten(), draws[1].flatten()
    return {name: magnitudes[operations == position]
            for position, name in enumerate(OPERATIONS)}


@pytest.mark.parametrize('variant', ['fm', 'kk', 'ly'])
def test_operations_are_drawn_evenly_and_applied_as_often_as_published(
        variant, generator):
    num_ops, prob = {'ly': (3, 1.)}.get(variant, (2, 0.5))
    operations = build(variant).sample(N, (32, 32), generator)[0]
    assert operations.shape == (N, num_ops)
    for column in operations.T:
        share = torch.bincount(column, minlength=len(OPERATIONS)) / N
        for name, value in zip(OPERATIONS, share.tolist(), strict=True):
            wanted = prob / 14 * (name in POOL)
            if name == 'Identity':
                wanted += 1 - prob
            assert abs(value - wanted) <= 5 * (wanted / N)**0.5, name
    # Drawn with replacement, columns are independent
    pair = operations[:, 0] * len(OPERATIONS) + operations[:, 1]
    both = (pair == OPERATIONS.index('Color') * (len(OPERATIONS) + 1))
    assert abs(both.float().mean() - (prob / 14)**2) < 5 * prob / 14 / N**0.5


@pytest.mark.parametrize('variant', ['fm', 'kk'])
@pytest.mark.parametrize('size', [(32, 32), (48, 64)])
def test_levels_are_one_to_nine_and_mean_what_was_published(
        variant, size, generator):
    drawn = by_operation(build(variant).sample(N, size, generator))
    for name in POOL - {'Identity'}:
        side = size[0] if name == 'TranslateY' else size[1]
        signed = name.startswith(('Shear', 'Translate', 'Rotate'))
        shares = {}
        for level in range(1, 10):
            value = level_value(variant, name, level, side)
            for sign in (1, -1) if signed else (1, ):
                key = round(sign * value, 9)
                shares[key] = shares.get(key, 0) + 1 / (18 if signed else 9)
        values, counts = drawn[name].unique(return_counts=True)
        found = {}
        for value, count in zip(values.tolist(), counts.tolist(), strict=True):
            key = round(value, 9)
            found[key] = found.get(key, 0) + count / len(drawn[name])
        assert set(found) == set(shares), name
        for key, share in shares.items():
            spread = 5 * (share / len(drawn[name]))**0.5
            assert abs(found[key] - share) < spread, (name, key)


def test_continuous_strengths_cover_their_ranges_evenly(generator):
    drawn = by_operation(build('ly').sample(N, (32, 64), generator))
    ranges = {**dict.fromkeys(FACTORS, (0.05, 0.95)), 'Solarize': (0, 256),
              'Rotate': (-30, 30), 'ShearX': (-.3, .3), 'ShearY': (-.3, .3),
              'TranslateX': (-.3 * 64, .3 * 64),
              'TranslateY': (-.3 * 32, .3 * 32)}
    for name, (low, high) in ranges.items():
        share = (drawn[name] - low) / (high - low)
        assert share.min() >= 0 and share.max() < 1, name
        counts = torch.histc(share, 10, 0, 1) / len(share)
        assert (counts - 0.1).abs().max() < 0.015, name
    bits = drawn['Posterize']
    assert bits.unique().tolist() == [4, 5, 6, 7]
    assert (torch.bincount(bits.long())[4:] / len(bits) - .25).abs().max() < .02


def test_published_policy_in_whole(generator):
    """The 25 pairs, written out once more in a shorter alphabet."""
    text = ('I17 C26;R72 X39;S81 S93;Y58 V79;A58 E92;Y27 P37;L43 B67;S39 B79;'
            'E65 E51;C67 S65;L77 X58;E37 A48;V43 S26;B96 L28;Z52 I03;E20 A60;'
            'E28 E64;L99 E66;A84 Z28;B13 L70;Z45 A93;V99 V79;A92 Z83;E88 I13;'
            'V79 A91')
    names = dict(I='Invert', C='Contrast', R='Rotate', X='TranslateX',
                 S='Sharpness', Y='ShearY', V='TranslateY', A='AutoContrast',
                 E='Equalize', P='Posterize', L='Color', B='Brightness',
                 Z='Solarize')
    policy = [[(names[step[0]], int(step[1]) / 10, int(step[2]))
               for step in pair.split()] for pair in text.split(';')]
    augment = TASK_UTILS.build(dict(type='gssl_mm.BatchAutoAugment'))
    operations, magnitudes = augment.sample(25 * N // 10, (32, 32), generator)
    total = len(operations)
    expected, joint = {}, {}
    for pair in policy:
        for column, (name, prob, level) in enumerate(pair):
            value = level_value('fm', name, level, 32)
            if name == 'Color' and level == 0:
                value = 0.1
            signed = name.startswith(('Shear', 'Translate', 'Rotate'))
            for sign in (1, -1) if signed else (1, ):
                key = (column, name, round(sign * value, 9))
                expected[key] = (expected.get(key, 0)
                                 + prob / 25 / (2 if signed else 1))
        key = pair[0][0], pair[1][0]
        joint[key] = joint.get(key, 0) + pair[0][1] * pair[1][1] / 25
    for (column, name, value), share in expected.items():
        hit = ((operations[:, column] == OPERATIONS.index(name))
               & ((magnitudes[:, column] - value).abs() < 1e-6))
        found = hit.float().mean().item()
        assert abs(found - share) <= 5 * (share / total)**0.5, (name, value)
    for (first, second), share in joint.items():
        hit = ((operations[:, 0] == OPERATIONS.index(first))
               & (operations[:, 1] == OPERATIONS.index(second)))
        found = hit.float().mean().item()
        assert abs(found - share) <= 5 * (share / total)**0.5, (first, second)


@pytest.mark.parametrize('kind', ['BatchRandAugment', 'BatchAutoAugment'])
def test_two_processes_do_what_one_does(kind, make_images, monkeypatch):
    augment = TASK_UTILS.build(dict(type=f'gssl_mm.{kind}'))
    images = torch.from_numpy(make_images(16, 32, 32)).permute(0, 3, 1, 2)

    def run(part):
        return augment(part, torch.Generator().manual_seed(5))

    whole = run(images)
    for rank in range(2):
        monkeypatch.setattr(step_random, 'get_dist_info', lambda r=rank: (r, 2))
        assert torch.equal(run(images[rank::2]), whole[rank::2])


def test_draws_follow_from_the_generator_alone():
    augment = build('fm')
    first, again, other = (
        augment.sample(8, (32, 32), torch.Generator().manual_seed(seed))
        for seed in (1, 1, 2))
    assert all(torch.equal(*pair) for pair in zip(first, again, strict=True))
    assert any(not torch.equal(*pair)
               for pair in zip(first, other, strict=True))
