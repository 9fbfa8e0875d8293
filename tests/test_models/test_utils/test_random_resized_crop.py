"""Batched crops against Pillow, one image at a time."""
import math

import numpy as np
import pytest
import torch
from PIL import Image

from gssl_mm.models.utils import RandomResizedCropFlip
from gssl_mm.registry import MODELS


def pillow(image, top, left, rows, cols, flip):
    pixels = Image.fromarray(image.permute(1, 2, 0).numpy())
    pixels = pixels.crop((left, top, left + cols, top + rows))
    pixels = pixels.resize(image.shape[:0:-1], Image.Resampling.BICUBIC)
    if flip:
        pixels = pixels.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return torch.from_numpy(np.array(pixels)).permute(2, 0, 1)


@pytest.mark.parametrize('size', [(64, 64), (24, 33)])
def test_equals_pillow(size, generator):
    images = torch.randint(0, 256, (60, 3, *size), dtype=torch.uint8)
    transform = RandomResizedCropFlip()
    draws = transform.sample(60, *size, generator)
    # Also the whole image and single pixels
    for column, values in enumerate([(0, 3), (0, 5), (size[0], 1),
                                     (size[1], 1), (0, 0)]):
        draws[column][:2] = torch.tensor(values)
    before = images.clone()
    out = transform.apply(images, *draws)
    assert out.dtype == torch.uint8 and torch.equal(images, before)
    expected = torch.stack([
        pillow(image, *draw) for image, draw in zip(
            images, torch.stack(draws, 1).tolist(), strict=True)])
    assert torch.equal(out, expected)
    assert torch.equal(out[0], images[0])


def test_draws_are_the_hosts(generator):
    transform = RandomResizedCropFlip()
    top, left, rows, cols, flips = transform.sample(
        20000, 64, 64, generator)
    for start, length in ((top, rows), (left, cols)):
        assert int(start.min()) == 0 and int((start + length).max()) == 64
    area = (rows * cols).double() / 64**2
    assert .07 < float(area.min()) < .09 and float(area.max()) == 1
    # The naive form: draw until it fits
    rng = np.random.default_rng(0)
    naive = []
    while len(naive) < 20000:
        a = 4096 * rng.uniform(.08, 1)
        r = math.exp(rng.uniform(math.log(3 / 4), math.log(4 / 3)))
        w, h = round(math.sqrt(a * r)), round(math.sqrt(a / r))
        if w <= 64 and h <= 64:
            naive.append((h * w / 4096, w / h))
    naive = np.array(naive)
    for got, wanted in ((area, naive[:, 0]), (cols / rows, naive[:, 1])):
        found = np.quantile(got.numpy(), [.1, .25, .5, .75, .9])
        np.testing.assert_allclose(
            found, np.quantile(wanted, [.1, .25, .5, .75, .9]), atol=.02)
    assert abs(float(flips.double().mean()) - .5) < .02
    # A place is uniform among those that the size leaves
    share = (top[rows < 40] + .5) / (65 - rows[rows < 40])
    assert abs(float(share.mean()) - .5) < .01


def test_what_never_fits_is_taken_whole(generator):
    transform = RandomResizedCropFlip(area=(1., 1.), aspect=(1.5, 2.))
    top, left, rows, cols, _ = transform.sample(10, 16, 16, generator)
    assert (rows == 16).all() and (cols == 16).all()
    assert not top.any() and not left.any()


def test_in_the_preprocessor():
    preprocessor = MODELS.build(dict(
        type='gssl_mm.PretextDataPreprocessor',
        augment=[dict(type='gssl_mm.RandomResizedCropFlip')]))
    images = torch.randint(0, 256, (4, 3, 16, 16), dtype=torch.uint8)
    out = preprocessor(dict(inputs=images), True)['inputs']
    assert out.shape == images.shape and out.min() >= 0 and out.max() <= 255


@pytest.mark.parametrize('kwargs', [
    dict(area=(0., 1.)), dict(area=(.5, 1.1)), dict(aspect=(2., 1.)),
    dict(flip_prob=-.1)])
def test_bad_arguments_are_refused(kwargs):
    with pytest.raises(ValueError, match=next(iter(kwargs))):
        RandomResizedCropFlip(**kwargs)
