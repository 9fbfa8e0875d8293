"""The Tiny-ImageNet table: every row is what it says, and trains."""
import copy
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import PARAM_SCHEDULERS
from mmengine.runner import Runner
from mmpretrain.registry import MODELS
from PIL import Image

from gssl_mm.visualization import plot_gate_curves, read_gate_curve

ROOT = Path(__file__).resolve().parents[1] / 'configs' / 'gssl'
NAMES = sorted(p.stem for p in ROOT.glob('*_tinyimagenet*.py'))
FAMILIES = ['resnet18-cutmix-gssl_tinyimagenet',
            'resnet18-smoothmix_tinyimagenet']
TASKS = ('LocalRotation', 'LocalFlip', 'LocalChannelPermutation')
# Tasks, type of the gate, whether it learns, mix
ROWS = {
    'resnet18-ce': ((), None, None, None),
    'resnet18-mixup': ((), None, None, dict(type='Mixup', alpha=1.)),
    'resnet18-cutmix': ((), None, None, dict(type='CutMix', alpha=1.)),
    'resnet18-smoothmix': ((), None, None, dict(type='gssl_mm.SmoothMix')),
    'resnet18-gridmix': (
        (), None, None, dict(type='gssl_mm.GridMix', alpha=.2)),
    'resnet18-lorot': (TASKS[:1], None, None, None),
    'resnet18-lorot-flip': (TASKS[:2], 'SoftmaxGate', 'detached', None),
    'resnet18-lorot-perm': (TASKS[::2], 'SoftmaxGate', 'detached', None),
    'resnet18-nogate': (TASKS, 'UniformGate', None, None),
    'resnet18': (TASKS, 'SoftmaxGate', 'detached', None),
    'resnet18-learnedgate': (TASKS, 'SoftmaxGate', 'learned', None),
    'resnet18-cutmix-gssl': (
        TASKS, 'SoftmaxGate', 'detached', dict(type='CutMix', alpha=1.)),
}
CROP4 = [dict(type='gssl_mm.RandomCropFlip', padding=4)]
RRC = [dict(type='gssl_mm.RandomResizedCropFlip')]


def load(name):
    return Config.fromfile(ROOT / f'{name}.py')


def test_every_row_has_both_augmentations():
    wanted = set()
    for row in ROWS:
        mix = '-mixup' in row or 'mix' in row and 'gssl' not in row
        wanted |= {f'{row}_tinyimagenet',
                   f'{row}_tinyimagenet-' + ('crop4' if mix else 'rrc')}
    wanted |= {f'resnet18w16{row}_tinyimagenet100-15e' for row in (
        '', '-ce', '-cutmix', '-cutmix-gssl')}
    assert set(NAMES) == wanted


@pytest.mark.parametrize('name', [n for n in NAMES if 'w16' not in n])
def test_a_row_is_what_it_says(name):
    cfg = load(name)
    row, _, setting = name.partition('_tinyimagenet')
    tasks, gate, grad, mix = ROWS[row]
    mixup_row = mix is not None and not tasks
    head, preprocessor = cfg.model.head, cfg.model.data_preprocessor
    for key, values in (('mean', (.485, .456, .406)),
                        ('std', (.229, .224, .225))):
        assert preprocessor[key] == pytest.approx([255 * v for v in values])
    types = tuple(t['type'].split('.')[1] for t in head.get('tasks') or ())
    assert types == tasks
    assert (preprocessor.get('pretext') or {}).get('tasks') == head.get('tasks')
    if tasks:
        assert head.loss_weight == .1
        found = head.get('gate') or {}
        assert found.get('type', 'x.').partition('.')[2] == (gate or '')
        assert found.get('grad') == grad
        if gate == 'SoftmaxGate':
            assert found.reduce == 'prob_mean' and 'init' not in found
        assert 'total' not in found
    # D12, and D14 where the number is OpenMixup's
    openmixup = (setting == '' if mixup_row else setting == '-rrc')
    assert preprocessor.augment == (RRC if openmixup else CROP4)
    own = mixup_row or row == 'resnet18-ce'
    assert cfg.model.backbone.zero_init_residual is (openmixup and own)
    augments = (preprocessor.get('batch_augments') or {}).get('augments')
    if augments is not None and 'Smooth' in augments['type']:
        assert augments.pop('openmixup_compat', False) is openmixup
    assert augments == mix


def test_the_learning_rate_is_a_cosine_of_the_epochs():
    cfg = load('resnet18_tinyimagenet')
    assert cfg.optim_wrapper.optimizer.to_dict() == dict(
        type='SGD', lr=.2, momentum=.9, weight_decay=1e-4)
    assert cfg.total_batch_size == 100
    optimizer = torch.optim.SGD([torch.zeros(1)], **{
        k: v for k, v in cfg.optim_wrapper.optimizer.items() if k != 'type'})
    (scheduler, ) = [PARAM_SCHEDULERS.build(dict(s, optimizer=optimizer))
                     for s in cfg.param_scheduler]
    for epoch in range(cfg.train_cfg.max_epochs):
        expected = .1 * (1 + math.cos(math.pi * epoch / 400))
        assert optimizer.param_groups[0]['lr'] == pytest.approx(
            expected, abs=1e-9)
        optimizer.step()
        scheduler.step()
    assert epoch == 399


def test_maps_and_parameters():
    cfg = load('resnet18_tinyimagenet')
    cfg.model.backbone.out_indices = (0, 1, 2, 3)
    model = MODELS.build(cfg.model).to('meta')
    maps = model.backbone(torch.empty(1, 3, 64, 64, device='meta'))
    assert [tuple(m.shape[1:]) for m in maps] == [
        (64, 64, 64), (128, 32, 32), (256, 16, 16), (512, 8, 8)]
    # torchvision's 11,689,512 with 1000 classes and a stem of 7x7
    backbone = sum(p.numel() for p in model.backbone.parameters())
    assert backbone == 11_689_512 - 1000 * 513 - 64 * 3 * (49 - 9)


@pytest.mark.parametrize('name, last', [
    ('resnet18-ce_tinyimagenet', 1.), ('resnet18-cutmix_tinyimagenet', 0.)])
def test_initial_weights(name, last):
    model = MODELS.build(load(name).model)
    model.init_weights()
    backbone = model.backbone
    stem = backbone.conv1.weight
    if last:  # PyTorch's own: uniform within 1 / sqrt(fan in)
        assert .95 / 27**.5 < float(stem.abs().max()) <= 1 / 27**.5 + 1e-6
        bound = 512**-.5
        for values in (model.head.fc.weight, model.head.fc.bias):
            assert .9 * bound < float(values.abs().max()) <= bound + 1e-6
    else:
        assert float(stem.std()) == pytest.approx((2 / 9 / 64)**.5, rel=.1)
        assert float(model.head.fc.weight.std()) == pytest.approx(.01, rel=.05)
    for layer, width in ((backbone.layer1, 64), (backbone.layer4, 512)):
        conv = layer[1].conv1.weight
        assert float(conv.std()) == pytest.approx(
            (2 / 9 / width)**.5, rel=.05)
        assert (layer[1].norm2.weight == last).all()
        assert (layer[1].norm1.weight == 1).all()


@pytest.fixture(scope='module')
def archives(tmp_path_factory):
    """Two images a class for training, one for validation, of noise."""
    root, rng = tmp_path_factory.mktemp('data'), np.random.default_rng(0)
    for name, classes in (('tiny-imagenet-200', 200),
                          ('tiny-imagenet-100', 100)):
        wnids = [f'n{i:08d}' for i in range(classes)]
        folder = root / name
        (folder / 'val/images').mkdir(parents=True)
        (folder / 'wnids.txt').write_text('\n'.join(wnids))
        lines = []
        for i, wnid in enumerate(wnids):
            images = folder / 'train' / wnid / 'images'
            images.mkdir(parents=True)
            for path in (images / '0.JPEG', images / '1.JPEG',
                         folder / f'val/images/{i}.JPEG'):
                pixels = rng.integers(0, 256, (64, 64, 3), np.uint8)
                Image.fromarray(pixels).save(path, 'JPEG')
            lines.append(f'{i}.JPEG\t{wnid}\t0')
        (folder / 'val/val_annotations.txt').write_text('\n'.join(lines))
    return root


def shrink(cfg, work_dir, archives):
    """A narrow net, a twentieth of the images, two iterations."""
    cfg.update(work_dir=str(work_dir), log_level='ERROR',
               experiment_name=work_dir.name)
    cfg.train_cfg.max_epochs = 1
    cfg.default_hooks.logger.interval = 1
    backbone, head = cfg.model.backbone, cfg.model.head
    backbone.update(stem_channels=16, base_channels=16, strides=(2, 2, 2, 2))
    head.in_channels = 128
    head.get('primary', head).in_channels = 128
    for part in ('train', 'val', 'test'):
        loader = cfg[f'{part}_dataloader']
        folder = archives / Path(loader.dataset.data_root).name
        loader.dataset.update(data_root=str(folder), indices=20)
        loader.update(num_workers=0, persistent_workers=False, batch_size=10)
    return cfg


def train(name, tmp_path, archives):
    cfg = shrink(load(name), tmp_path / name, archives)
    runner = Runner.from_cfg(cfg)
    before = copy.deepcopy(runner.model.state_dict())
    runner.train()
    assert runner.iter == 2
    after = runner.model.state_dict()
    assert all(v.isfinite().all() for v in after.values())
    trained = {n for n, p in runner.model.named_parameters()
               if p.requires_grad}
    moved = {k for k in before if not torch.equal(before[k], after[k])}
    assert trained <= moved, trained - moved
    assert (tmp_path / name / 'result.json').is_file()


@pytest.mark.parametrize('name', FAMILIES)
def test_one_of_each_family_trains(name, tmp_path, archives):
    train(name, tmp_path, archives)


@pytest.mark.slow
@pytest.mark.parametrize('name', [n for n in NAMES if n not in FAMILIES])
def test_every_row_trains(name, tmp_path, archives):
    train(name, tmp_path, archives)


def test_the_gate_is_seen_live_and_drawn_from_the_log(tmp_path, archives):
    events = pytest.importorskip(
        'tensorboard.backend.event_processing.event_accumulator')
    cfg = shrink(load('resnet18_tinyimagenet'), tmp_path / 'run', archives)
    cfg.train_cfg.max_epochs = 2
    cfg.visualizer.vis_backends = [
        dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')]
    Runner.from_cfg(cfg).train()
    (file, ) = (tmp_path / 'run').rglob('events.out.tfevents*')
    board = events.EventAccumulator(str(file.parent))
    board.Reload()
    curve = read_gate_curve(tmp_path / 'run')
    assert list(curve) == ['lorot', 'flip', 'perm']
    for task, (steps, values) in curve.items():
        seen = board.Scalars(f'gate_{task}')
        assert [event.step for event in seen] == steps == [1, 2, 3, 4]
        assert [event.value for event in seen] == pytest.approx(
            values, abs=1e-3)
    total = sum(np.array(values) for _, values in curve.values())
    np.testing.assert_allclose(total, 1, atol=2e-3)
    by_epoch = read_gate_curve(tmp_path / 'run', 'epoch')
    assert by_epoch['flip'][0] == pytest.approx([.5, 1, 1.5, 2])
    files = plot_gate_curves({'run': by_epoch}, tmp_path / 'gate.png', 'epoch')
    assert all(path.stat().st_size > 1000 for path in files)
