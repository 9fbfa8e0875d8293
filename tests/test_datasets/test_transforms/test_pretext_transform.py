import numpy as np
import pytest
import torch
from mmpretrain.registry import TRANSFORMS
from torch.utils.data import DataLoader, Dataset

from gssl_mm.datasets.sample_random import set_epoch
from gssl_mm.models.pretext import PretextTransform as BatchTransform

TASKS = ['gssl_mm.LocalRotation', 'gssl_mm.LocalFlip',
         'gssl_mm.LocalChannelPermutation']
IMAGES = np.random.default_rng(0).integers(
    0, 256, (8, 16, 16, 3), dtype=np.uint8)


def build(**kwargs):
    return TRANSFORMS.build(dict(
        type='gssl_mm.PretextTransform', tasks=TASKS, **kwargs))


def run(transform, index):
    return transform(dict(img=IMAGES[index].copy(), sample_idx=index))


def test_labels_describe_what_was_done_to_the_image():
    transform, batch = build(), BatchTransform(TASKS)
    every = batch.sample(20000, (16, 16), torch.Generator().manual_seed(0))
    by_label = {tuple(row): i
                for i, row in enumerate(batch.labels(every).tolist())}
    for index in range(8):
        result = run(transform, index)
        draw = by_label[tuple(result['pretext_labels'].tolist())]
        image = torch.from_numpy(IMAGES[index]).permute(2, 0, 1)[None]
        expected = batch.apply(
            image, type(every)(*(part[draw:draw + 1] for part in every)))
        assert result['img'].dtype == np.uint8
        assert np.array_equal(
            result['img'], expected[0].permute(1, 2, 0).numpy())


def test_bgr_images_are_permuted_in_rgb_order():
    rgb, bgr = build(), build(channel_order='bgr')
    for index in range(8):
        expected = run(rgb, index)
        got = bgr(dict(img=IMAGES[index][..., ::-1], sample_idx=index))
        assert np.array_equal(got['img'][..., ::-1], expected['img'])
        assert torch.equal(got['pretext_labels'], expected['pretext_labels'])


class Samples(Dataset):

    def __init__(self):
        self.transform = build()

    def __len__(self):
        return len(IMAGES)

    def __getitem__(self, index):
        return run(self.transform, index)['pretext_labels']


@pytest.mark.parametrize('workers', [0, 2])
def test_draws_change_by_epoch_and_not_by_worker(workers):
    loader = DataLoader(Samples(), batch_size=4, num_workers=workers,
                        persistent_workers=workers > 0)
    epochs = []
    for epoch in (0, 1, 0):
        set_epoch(epoch)
        epochs.append(torch.cat(list(loader)))
    set_epoch(0)
    alone = torch.stack([Samples()[i] for i in range(8)])
    assert torch.equal(epochs[0], alone)
    assert torch.equal(epochs[0], epochs[2])
    assert not torch.equal(epochs[0], epochs[1])


def test_mistakes_are_named():
    with pytest.raises(ValueError, match='channel_order'):
        build(channel_order='hsv')
    with pytest.raises(KeyError, match='sample_idx'):
        build()(dict(img=IMAGES[0]))
