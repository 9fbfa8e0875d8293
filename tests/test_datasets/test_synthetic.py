import numpy as np
import pytest

from gssl_mm.datasets import LongTailedDataset, SyntheticShapes
from gssl_mm.datasets.synthetic_drawing import SHAPES
from gssl_mm.registry import DATASETS


def test_built_from_a_config_and_packed():
    dataset = DATASETS.build(dict(
        type='gssl_mm.SyntheticShapes', num_per_class=3, split='test',
        test_mode=True, pipeline=[dict(type='PackInputs')]))
    assert len(dataset) == 30 and dataset.CLASSES == SHAPES
    assert dataset.class_counts.tolist() == [3] * 10
    assert dataset[7]['inputs'].shape == (3, 32, 32)
    assert dataset[7]['data_samples'].gt_label.item() == 7


def test_same_arguments_same_images():
    one = SyntheticShapes(num_per_class=40)
    np.testing.assert_array_equal(
        one.images, SyntheticShapes(num_per_class=40).images)
    for other in (dict(split='test'), dict(seed=1), dict(noise=0.1)):
        images = SyntheticShapes(num_per_class=40, **other).images
        assert not any(
            np.array_equal(a, b)
            for a, b in zip(one.images, images, strict=True))


def test_images_do_not_depend_on_which_are_read():
    whole = SyntheticShapes(num_per_class=60)
    keep = [599, 3, 300, 256, 255]
    part = SyntheticShapes(num_per_class=60, indices=keep)
    np.testing.assert_array_equal(part.images, whole.images[keep])
    tail = LongTailedDataset(
        dict(type='gssl_mm.SyntheticShapes', num_per_class=60), 0.05)
    assert tail.class_counts.tolist() == [
        int(60 * 0.05**(c / 9)) for c in range(10)]


@pytest.mark.parametrize('size, classes', [(8, 1), (33, 4), (64, 10)])
def test_sizes(size, classes):
    dataset = SyntheticShapes(
        num_per_class=2, image_size=size, num_classes=classes)
    assert dataset.images.shape == (2 * classes, size, size, 3)
    assert dataset.images.dtype == np.uint8
    assert dataset.CLASSES == SHAPES[:classes]


def test_own_class_names():
    names = ['a', 'b']
    dataset = SyntheticShapes(
        num_per_class=2, num_classes=2, metainfo=dict(classes=names))
    assert dataset.CLASSES == names and len(dataset) == 4


@pytest.mark.parametrize('bad', [
    dict(num_per_class=0), dict(num_classes=11), dict(num_classes=0),
    dict(split='val'), dict(image_size=4), dict(noise=-1.)])
def test_bad_arguments(bad):
    (name, value), = bad.items()
    with pytest.raises(ValueError, match=f'{name}={value!r}'):
        SyntheticShapes(**bad)


def mean_background():
    images = SyntheticShapes(num_per_class=100, noise=0.).images
    return np.median(images.astype(np.float32), 0)


def test_colour_order_is_seen_everywhere():
    red, green, blue = np.moveaxis(mean_background(), -1, 0)
    assert (red < green - 5).all() and (green < blue - 5).all()


def test_top_and_bottom_differ():
    light = mean_background().sum(-1)
    rows = light.mean(1)
    assert rows[:8].mean() > 1.3 * rows[-8:].mean()


def test_every_quadrant_runs_on_the_same_slant():
    """What tells a mirrored quadrant: gradients point down and to the right."""
    light = SyntheticShapes(num_per_class=100, noise=0.).images.mean(-1)
    down, right = np.gradient(light, axis=(1, 2))
    for half in (slice(0, 16), slice(16, 32)):
        for side in (slice(0, 16), slice(16, 32)):
            d, r = down[:, half, side], right[:, half, side]
            slant = (d * r).mean((1, 2)) / (d**2 + r**2).mean((1, 2))
            assert (slant > 0).mean() > 0.9


def test_classes_differ_in_shape_alone():
    dataset = SyntheticShapes(num_per_class=100)
    colours = [dataset.images[dataset.labels == c].mean((0, 1, 2))
               for c in range(10)]
    assert np.ptp(np.stack(colours), 0).max() < 25
