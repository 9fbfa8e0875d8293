import pytest
import torch

from gssl_mm.registry import MODELS, TASK_UTILS

MEAN = [120.5, 110.25, 100.75]


def build(**kwargs):
    return TASK_UTILS.build(dict(type='gssl_mm.RandomCutout', **kwargs))


@pytest.mark.parametrize('size', [1, 3, 8, 30])
def test_erases_the_square_pixel_by_pixel(size):
    images = torch.randint(256, (12, 3, 9, 11)).to(torch.uint8)
    rows, cols = torch.arange(12) % 9, torch.arange(12) % 11
    out = build(size=size, fill=MEAN).apply(images, rows, cols)
    for n in range(12):
        for row in range(9):
            for col in range(11):
                top, left = rows[n] - size // 2, cols[n] - size // 2
                erased = (top <= row < top + size
                          and left <= col < left + size)
                expected = (torch.tensor(MEAN) if erased
                            else images[n, :, row, col].float())
                assert torch.equal(out[n, :, row, col], expected)


def test_centres_are_uniform_over_the_pixels(generator):
    out = build(size=1, fill=1.)(torch.zeros(8000, 1, 4, 5), generator)
    assert torch.all(out.sum((1, 2, 3)) == 1)
    share = out.mean(0)[0] * 20
    assert share.min() > 0.8 and share.max() < 1.2


def test_what_is_erased_is_zero_for_the_model():
    preprocessor = MODELS.build(dict(
        type='gssl_mm.PretextDataPreprocessor', mean=MEAN, std=[50.] * 3,
        augment=[dict(type='gssl_mm.RandomCutout', size=8, fill=MEAN)]))
    images = torch.full((4, 3, 16, 16), 200, dtype=torch.uint8)
    out = preprocessor(dict(inputs=images), True)['inputs']
    zeros = (out == 0).all(1).sum((1, 2))
    assert zeros.min() >= 16 and zeros.max() <= 64
    clean = preprocessor(dict(inputs=images), False)['inputs']
    assert (clean != 0).all()


def test_bad_size_is_named():
    with pytest.raises(ValueError, match='size'):
        build(size=0)
