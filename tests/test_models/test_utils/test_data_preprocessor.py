import pytest
import torch
from mmengine.logging import MessageHub
from mmpretrain.structures import DataSample

from gssl_mm.models.pretext import PretextTransform
from gssl_mm.models.utils import RandomCropFlip
from gssl_mm.registry import MODELS, TASK_UTILS

TASKS = [dict(type='gssl_mm.LocalRotation'), dict(type='gssl_mm.LocalFlip')]
MEAN, STD = [10., 20., 30.], [2., 4., 5.]


def build(**kwargs):
    return MODELS.build(dict(
        type='gssl_mm.PretextDataPreprocessor', mean=MEAN, std=STD, **kwargs))


def batch(n=6, size=8):
    images = torch.randint(0, 256, (n, 3, size, size), dtype=torch.uint8)
    return dict(inputs=images,
                data_samples=[DataSample().set_gt_label(0) for _ in range(n)])


def at_iteration(number, seed=0):
    MessageHub.get_current_instance().runtime_info.update(
        iter=number, seed=seed)


def normalised(images):
    return (images.float() - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(
        STD).view(3, 1, 1)


def test_testing_only_normalises():
    data = batch()
    out = build(pretext=dict(tasks=TASKS),
                augment=[dict(type='gssl_mm.RandomCropFlip')])(data, False)
    assert torch.equal(out['inputs'], normalised(data['inputs']))
    assert 'pretext_labels' not in out['data_samples'][0]


def test_images_no_larger_than_the_mirrored_border_are_refused():
    images = torch.zeros(2, 3, 4, 9)
    with pytest.raises(ValueError, match='padding=4 can not be mirrored'):
        RandomCropFlip(padding_mode='reflect')(images)
    RandomCropFlip(padding=3, padding_mode='reflect')(images)


def test_augmentations_see_rgb():
    data, augment = batch(16), [
        dict(type='gssl_mm.BatchRandAugment', variant='ly'),
        dict(type='gssl_mm.RandomCutout', size=6, fill=MEAN)]
    found = []
    for order, to_rgb in ((data['inputs'], False),
                          (data['inputs'].flip(1), True)):
        at_iteration(3)
        preprocessor = build(augment=augment, to_rgb=to_rgb)
        found.append(preprocessor(dict(data, inputs=order), True)['inputs'])
    assert torch.equal(*found)
    assert (found[0] == 0).all(1).any()


def test_pretext_labels_in_the_place_of_mixed_ones():
    for options in (dict(to_onehot=True, num_classes=4), dict(
            batch_augments=dict(augments='Mixup'), num_classes=4)):
        with pytest.raises(ValueError, match='leave to_onehot'):
            build(pretext=dict(tasks=TASKS[:1]), pretext_as_label=True,
                  **options)


def test_training_transforms_after_the_normalisation():
    at_iteration(3)
    data = batch()
    preprocessor = build(pretext=dict(tasks=TASKS))
    out = preprocessor(data, True)
    labels = torch.stack([s.pretext_labels for s in out['data_samples']])
    for image, source, (joint, flip) in zip(
            out['inputs'], normalised(data['inputs']), labels.tolist(),
            strict=True):
        quadrant, turns = divmod(joint, 4)
        rows = slice(0, 4) if quadrant < 2 else slice(4, 8)
        cols = slice(0, 4) if quadrant % 2 == 0 else slice(4, 8)
        patch = source[:, rows, cols]
        patch = patch.flip(2) if flip else patch
        source[:, rows, cols] = torch.rot90(patch.clone(), turns, (1, 2))
        assert torch.equal(image, source)


def test_a_transform_of_the_users_own():
    @TASK_UTILS.register_module()
    class FirstQuadrant(PretextTransform):
        def sample(self, *args):
            draw = super().sample(*args)
            return draw._replace(region=torch.zeros_like(draw.region))

    tasks = [dict(type='gssl_mm.LocalRotation')]
    for name, most in (('gssl_mm.PretextTransform', 16),
                       ('gssl_mm.FirstQuadrant', 4)):
        out = build(pretext=dict(type=name, tasks=tasks))(batch(64), True)
        labels = torch.stack([s.pretext_labels for s in out['data_samples']])
        assert most / 2 <= labels.max() < most
    TASK_UTILS.module_dict.pop('FirstQuadrant')


def test_draws_depend_on_seed_and_iteration_alone():
    preprocessor = build(pretext=dict(tasks=TASKS),
                         augment=[dict(type='gssl_mm.RandomCropFlip')])
    images = batch(32)['inputs']

    def run(iteration, seed):
        at_iteration(iteration, seed)
        torch.rand(3)  # the global generator plays no part
        data = dict(batch(32), inputs=images)
        return preprocessor(data, True)['inputs']

    first = run(5, 1)
    assert torch.equal(first, run(5, 1))
    assert not torch.equal(first, run(6, 1))
    assert not torch.equal(first, run(5, 2))


def test_mixing_comes_before_the_pretext_transform():
    at_iteration(0)
    preprocessor = build(
        pretext=dict(tasks=TASKS), num_classes=4, to_onehot=True,
        batch_augments=dict(augments=[dict(type='Mixup', alpha=1.)]))
    out = preprocessor(batch(), True)
    sample = out['data_samples'][0]
    assert sample.gt_score.shape == (4, )
    assert sample.pretext_labels.shape == (2, )


def test_lists_of_images_and_a_batch_of_one():
    at_iteration(0)
    data = batch(1)
    data['inputs'] = list(data['inputs'])
    out = build(pretext=dict(tasks=TASKS),
                augment=[dict(type='gssl_mm.RandomCropFlip')])(data, True)
    assert out['inputs'].shape == (1, 3, 8, 8)


def test_channels_last():
    out = build(memory_format='channels_last')(batch(), True)
    assert out['inputs'].is_contiguous(memory_format=torch.channels_last)
    with pytest.raises(ValueError, match='memory_format'):
        build(memory_format='nhwc')


def test_pretext_as_label_serves_pretraining():
    rotation = dict(region='image', tasks=[dict(type='gssl_mm.GlobalRotation')])
    preprocessor = build(pretext=rotation, pretext_as_label=True)
    for training in (True, False):
        data = batch(8)
        out = preprocessor(dict(data), training)
        labels = torch.cat([s.gt_label for s in out['data_samples']])
        assert sorted(labels.tolist()) == [0, 0, 1, 1, 2, 2, 3, 3]
        for image, source, turns in zip(
                out['inputs'], normalised(data['inputs']), labels.tolist(),
                strict=True):
            assert torch.equal(image, torch.rot90(source, turns, (1, 2)))
    with pytest.raises(ValueError, match='exactly one'):
        build(pretext=dict(tasks=TASKS), pretext_as_label=True)


def test_labels_need_data_samples():
    with pytest.raises(ValueError, match='PackInputs'):
        build(pretext=dict(tasks=TASKS))(
            dict(inputs=batch()['inputs']), True)


def naive_crop_flip(image, top, left, flip, padding, mode):
    padded = torch.nn.functional.pad(
        image[None].float(), (padding, ) * 4, mode=mode)[0]
    height, width = image.shape[1:]
    out = padded[:, padding + top:padding + top + height,
                 padding + left:padding + left + width]
    return (out.flip(2) if flip else out).to(image.dtype)


@pytest.mark.parametrize('mode', ['constant', 'reflect'])
@pytest.mark.parametrize('dtype', [torch.uint8, torch.float32])
def test_crop_and_flip_equal_pad_and_slice(mode, dtype, generator):
    images = (torch.rand(64, 3, 7, 9) * 255).to(dtype)
    transform = RandomCropFlip(padding=4, padding_mode=mode)
    draws = transform.sample(64, generator)
    out = transform.apply(images, *draws)
    for image, got, top, left, flip in zip(
            images, out, *(d.tolist() for d in draws), strict=True):
        expected = naive_crop_flip(image, top, left, flip, 4, mode)
        assert torch.equal(got, expected)
    assert out.dtype == dtype


def test_crop_offsets_and_flips_are_uniform(generator):
    top, left, flips = RandomCropFlip(4).sample(18000, generator)
    for offsets in (top, left):
        counts = torch.bincount(offsets + 4, minlength=9)
        assert int((counts - 2000).abs().max()) < 200
    assert abs(float(flips.float().mean()) - 0.5) < 0.02


@pytest.mark.parametrize('kwargs', [
    dict(padding=-1), dict(flip_prob=1.5), dict(padding_mode='edge')])
def test_bad_crop_arguments_are_refused(kwargs):
    with pytest.raises(ValueError, match=next(iter(kwargs))):
        RandomCropFlip(**kwargs)
