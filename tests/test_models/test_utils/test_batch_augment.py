import numpy as np
import pytest
import torch
from PIL import Image

from gssl_mm.datasets.transforms import PillowAugment, pillow_operation
from gssl_mm.models.utils.batch_augment import OPERATIONS, apply_operations
from gssl_mm.models.utils.batch_augment.affine import affine_nearest
from gssl_mm.registry import TASK_UTILS

FILL = (10, 128, 250)
FACTORS = [*(0.1 + 0.18 * level for level in range(10)),
           *(0.05 + 0.09 * level for level in range(10)),
           0., 1., 0.123456789, 0.95, 1.9, 3.]
MAGNITUDES = {
    **dict.fromkeys(['Color', 'Contrast', 'Brightness', 'Sharpness'], FACTORS),
    'Posterize': range(1, 9),
    'Solarize': [0, 1, 26, 128, 255, 256, 100.5, 0.01, 254.99],
    **dict.fromkeys(['ShearX', 'ShearY'],
                    [s * 0.03 * level for s in (-1, 1) for level in range(10)]
                    + [0.2999, -0.1234567]),
    **dict.fromkeys(['TranslateX', 'TranslateY'],
                    [*range(-12, 13), 0.5, -0.5, 1.49, -1.51, 9.59, 40, -40]),
    'Rotate': [*range(-30, 31), 7.77, -29.99, 90, 180, 45],
}


def build(kind, **kwargs):
    return TASK_UTILS.build(dict(type=f'gssl_mm.{kind}', **kwargs))


def to_batch(images):
    return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()


def to_arrays(batch):
    return batch.permute(0, 2, 3, 1).numpy()


def run_batch(images, names, magnitudes, fill=FILL):
    """Names and magnitudes: a row an image."""
    operations = torch.tensor(
        [[OPERATIONS.index(name) for name in row] for row in names])
    out = apply_operations(
        to_batch(images), operations,
        torch.tensor(magnitudes, dtype=torch.float64),
        torch.tensor(fill, dtype=torch.uint8))
    return to_arrays(out)


def run_pillow(image, names, magnitudes, fill=FILL):
    image = Image.fromarray(image)
    for name, magnitude in zip(names, magnitudes, strict=True):
        image = pillow_operation(image, name, float(magnitude), fill)
    return np.asarray(image)


@pytest.mark.parametrize('size', [(32, 32), (19, 26)])
@pytest.mark.parametrize('name', OPERATIONS)
def test_every_operation_is_pillows(make_images, name, size):
    magnitudes = list(MAGNITUDES.get(name, [0.] * 8))
    # Each magnitude meets each kind of image
    images = make_images(16, *size).repeat(len(magnitudes), 0)
    magnitudes = magnitudes * 16
    out = run_batch(images, [[name]] * len(images), [[m] for m in magnitudes])
    for image, magnitude, got in zip(images, magnitudes, out, strict=True):
        wanted = run_pillow(image, [name], [magnitude])
        np.testing.assert_array_equal(got, wanted, f'{name} {magnitude}')


def test_equalize_and_autocontrast_of_all_two_valued_images():
    """Where a histogram has few entries, rounding decides."""
    values = np.array([(low, high, count) for low in range(0, 250, 15)
                       for high in range(low, 256, 13)
                       for count in (1, 100, 254, 255, 256)])
    images = np.zeros((len(values), 16, 16, 3), np.uint8)
    flat = images.reshape(len(values), 256, 3)
    for row, (low, high, count) in zip(flat, values, strict=True):
        row[:] = low
        row[:count] = high
    for name in ('Equalize', 'AutoContrast'):
        out = run_batch(images, [[name]] * len(images), [[0.]] * len(images))
        for image, got in zip(images, out, strict=True):
            assert (got == run_pillow(image, [name], [0.])).all()


def test_chains_of_mixed_operations(make_images):
    images = make_images(90, 32, 32)
    rng = np.random.default_rng(1)
    names = rng.choice(OPERATIONS, (90, 3)).tolist()
    magnitudes = [[float(rng.choice(MAGNITUDES.get(name, [0.])))
                   for name in row] for row in names]
    before = images.copy()
    out = run_batch(images, names, magnitudes)
    assert (images == before).all()
    for args in zip(images, names, magnitudes, out, strict=True):
        assert (run_pillow(*args[:3]) == args[3]).all()


@pytest.mark.parametrize('size', [(1, 1), (2, 5), (3, 3), (1, 40)])
def test_small_images(make_images, size):
    names = OPERATIONS
    images = make_images(len(names), *size)
    magnitudes = [[float(list(MAGNITUDES.get(name, [0., 0.]))[1])]
                  for name in names]
    out = run_batch(images, [[name] for name in names], magnitudes)
    for image, name, magnitude, got in zip(
            images, names, magnitudes, out, strict=True):
        assert (run_pillow(image, [name], magnitude) == got).all(), name


AUGMENTS = [dict(kind='BatchRandAugment', variant='fm'),
            dict(kind='BatchRandAugment', variant='kk'),
            dict(kind='BatchRandAugment', variant='ly'),
            dict(kind='BatchRandAugment', variant='fm', num_ops=4, prob=1.,
                 fill=(1, 2, 3)),
            dict(kind='BatchRandAugment', variant='kk', cutout=False),
            dict(kind='BatchAutoAugment'),
            dict(kind='BatchAutoAugment', fill=0)]


@pytest.mark.parametrize('cfg', AUGMENTS)
def test_whole_augmentation_is_pillows(make_images, generator, cfg):
    augment = build(**cfg)
    options = {key: cfg[key] for key in cfg if key != 'kind'}
    reference = PillowAugment(
        dict(type=f'gssl_mm.{cfg["kind"]}', **options))
    images = make_images(64, 32, 32)
    draws = augment.sample(64, (32, 32), generator)
    out = to_arrays(augment.apply(to_batch(images), *draws))
    for i, image in enumerate(images):
        wanted = reference.run(
            Image.fromarray(image), *(draw[i:i + 1] for draw in draws))
        np.testing.assert_array_equal(out[i], np.asarray(wanted))
    assert (out != images).any((1, 2, 3)).mean() > 0.5


@pytest.mark.parametrize('cfg', AUGMENTS[:3] + AUGMENTS[-1:])
def test_float_images_keep_their_type_and_values(make_images, cfg):
    augment = build(**cfg)
    images = to_batch(make_images(32, 20, 24))
    draws = augment.sample(32, (20, 24), None)
    integers = augment.apply(images, *draws)
    floats = augment.apply(images.float(), *draws)
    assert integers.dtype == torch.uint8 and floats.dtype == torch.float32
    grey = floats == 127.5
    assert torch.equal(torch.where(grey, 128., floats), integers.float())
    assert grey.any() == (cfg.get('variant') == 'fm')
    noisy = (images.float() + 0.3).clamp(0, 255)
    assert torch.equal(augment.apply(noisy, *draws), floats)


def test_batch_of_one_and_empty_batch(make_images):
    for cfg in AUGMENTS[:3] + AUGMENTS[-1:]:
        augment = build(**cfg)
        assert augment(to_batch(make_images(1, 32, 32))).shape[0] == 1
        assert augment(torch.zeros(0, 3, 32, 32)).shape == (0, 3, 32, 32)


def test_cutout_of_the_variants():
    images = torch.full((2000, 3, 32, 32), 7.)
    sides = {}
    for variant, fill in (('fm', [127.5] * 3), ('kk', [127.] * 3),
                          ('ly', [125., 123., 114.])):
        out = build('BatchRandAugment', variant=variant, prob=0.)(images)
        hole = out[:, 0] != 7
        assert (out.permute(0, 2, 3, 1)[hole] == torch.tensor(fill)).all()
        sides[variant] = hole.any(2).sum(1)
        # A box: as many pixels as rows times columns
        assert torch.equal(hole.sum((1, 2)),
                           hole.any(1).sum(1) * hole.any(2).sum(1))
        assert torch.allclose(hole.float().mean(0).flip(0, 1),
                              hole.float().mean(0), atol=0.08)
    for variant in ('fm', 'kk'):
        # Centres 0..31: clipped ones show 8..15 rows, the others 16
        assert sides[variant].min() == 8 and sides[variant].max() == 16
    assert sides['ly'].min() == 0 and sides['ly'].max() == 15


def test_pipeline_form_follows_the_sample_and_the_channel_order(make_images):
    image = make_images(2, 32, 32)[1]
    cfg = dict(type='gssl_mm.BatchRandAugment', prob=1.)

    def run(idx, img, **kwargs):
        results = dict(img=img.copy(), sample_idx=idx)
        return PillowAugment(cfg, **kwargs).transform(results)['img']

    assert (run(3, image) == run(3, image)).all()
    assert (run(3, image) != run(4, image)).any()
    assert (run(3, image) != run(3, image, seed=1)).any()
    mirrored = run(3, image[..., ::-1], channel_order='bgr')
    assert (mirrored == run(3, image)[..., ::-1]).all()
    with pytest.raises(KeyError, match='sample_idx'):
        PillowAugment(cfg).transform(dict(img=image))
    with pytest.raises(ValueError, match='channel_order'):
        PillowAugment(cfg, channel_order='gbr')


@pytest.mark.parametrize('cfg, match', [
    (dict(kind='BatchRandAugment', variant='tf'), 'variant'),
    (dict(kind='BatchRandAugment', num_ops=0), 'num_ops'),
    (dict(kind='BatchRandAugment', prob=1.5), 'prob'),
    (dict(kind='BatchRandAugment', fill=(1, 2)), 'fill'),
    (dict(kind='BatchRandAugment', fill=300), 'fill'),
    (dict(kind='BatchAutoAugment', policy='imagenet'), 'policy'),
    (dict(kind='BatchAutoAugment', policy=[]), 'sub-policy'),
    (dict(kind='BatchAutoAugment', policy=[[('Blur', .5, 1)]]), 'Blur'),
    (dict(kind='BatchAutoAugment', policy=[[('Color', .5, 10)]]), 'level'),
    (dict(kind='BatchAutoAugment', policy=[[('Color', 2, 1)]]), 'probability'),
])
def test_bad_arguments_are_named(cfg, match):
    with pytest.raises(ValueError, match=match):
        build(**cfg)


def test_images_that_cannot_be_augmented_are_named():
    augment = build('BatchRandAugment')
    with pytest.raises(ValueError, match=r'\(N, 3, H, W\)'):
        augment(torch.zeros(2, 1, 32, 32))
    with pytest.raises(ValueError, match='8192'):
        affine_nearest(torch.zeros(1, 3, 1, 8193, dtype=torch.uint8),
                       torch.zeros(1, 6, dtype=torch.int32),
                       torch.zeros(3, dtype=torch.uint8))
