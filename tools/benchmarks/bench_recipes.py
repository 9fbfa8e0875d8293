"""One network, one data set, one schedule: the host's recipe and ours."""
import argparse
import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
MEAN, STD = [125.307, 122.961, 113.8575], [51.5865, 50.847, 51.255]
FOLDER = 'cifar-10-batches-py'
CLASSES = 10
# Name: backbone, channels of its feature, images in an epoch by default
NETWORKS = {
    'CIFARResNet-32':
        (dict(type='gssl_mm.CIFARResNet', depth=32), 64, 6400),
    'ResNet_CIFAR-18':
        (dict(type='ResNet_CIFAR', depth=18, num_stages=4, out_indices=(3, ),
              style='pytorch'), 512, 1280),
}
# Name: (side, memory, precision, whether freed memory is kept)
VARIANTS = {
    'host': ('host', '', '', False),
    'ours': ('ours', 'contiguous', 'float32', True),
    'ours, channels_last': ('ours', 'channels_last', 'float32', True),
    'ours, channels_last, bf16': ('ours', 'channels_last', 'bfloat16', True),
    'ours, channels_last, bf16, without HeapHook':
        ('ours', 'channels_last', 'bfloat16', False),
}


def network(name: str, depth: int | None) -> dict:
    """Model of a network, without preprocessor."""
    backbone, channels, _ = copy.deepcopy(NETWORKS[name])
    if depth and name.startswith('CIFARResNet'):
        backbone['depth'] = depth
    return dict(
        type='ImageClassifier', backbone=backbone,
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type='LinearClsHead', num_classes=CLASSES,
                  in_channels=channels,
                  loss=dict(type='CrossEntropyLoss', loss_weight=1.0)))


def loader(dataset: dict, batch: int, workers: int, shuffle: bool) -> dict:
    """A loader with the defaults of the host's train tool."""
    return dict(
        batch_size=batch, num_workers=workers, pin_memory=False,
        persistent_workers=workers > 0,
        collate_fn=dict(type='default_collate'),
        sampler=dict(type='DefaultSampler', shuffle=shuffle), dataset=dataset)


def common(args: Any, network_name: str) -> dict:
    """Schedule and validation, equal on both sides."""
    return dict(
        default_scope='mmpretrain', work_dir='', randomness=dict(seed=0),
        model=network(network_name, args.depth),
        train_cfg=dict(by_epoch=True, max_epochs=args.rounds,
                       val_interval=args.rounds),
        val_cfg=dict(), val_evaluator=dict(type='Accuracy', topk=(1, )),
        optim_wrapper=dict(optimizer=dict(
            type='SGD', lr=args.lr, momentum=0.9, weight_decay=1e-4)),
        param_scheduler=dict(type='MultiStepLR', by_epoch=True,
                             milestones=[100, 150], gamma=0.1),
        visualizer=dict(type='UniversalVisualizer',
                        vis_backends=[dict(type='LocalVisBackend')]))


def host_config(args: Any, network_name: str, images: int) -> Config:
    """The host's CIFAR-10 recipe: its dataset, pipeline, hooks."""
    base = dict(type='UncheckedCIFAR10', data_root=str(args.data_root))
    crop = [dict(type='RandomCrop', crop_size=32, padding=4),
            dict(type='RandomFlip', prob=0.5, direction='horizontal'),
            dict(type='PackInputs')]
    train = dict(base, split='train', pipeline=crop, indices=images)
    test = dict(base, split='test', pipeline=[dict(type='PackInputs')],
                indices=args.test_images)
    return Config(dict(
        common(args, network_name),
        data_preprocessor=dict(num_classes=CLASSES, mean=MEAN, std=STD,
                               to_rgb=False),
        train_dataloader=loader(train, args.batch_size, args.workers, True),
        val_dataloader=loader(test, args.batch_size, args.workers, False),
        # The others of the host's default runtime are its runner's own
        default_hooks=dict(logger=dict(type='LoggerHook', interval=100))))


def our_config(args: Any, network_name: str, images: int, memory: str,
               precision: str, keeps: bool) -> Config:
    """The same through our dataset, preprocessor and hooks."""
    cfg = Config.fromfile(CONFIGS / '_base_' / 'default_runtime.py')
    cfg.merge_from_dict(common(args, network_name))
    cfg.model.data_preprocessor = dict(
        type='gssl_mm.PretextDataPreprocessor', mean=MEAN, std=STD,
        to_rgb=False, augment=[dict(type='gssl_mm.RandomCropFlip', padding=4)],
        memory_format=memory)
    base = dict(type='gssl_mm.CIFAR10', data_root=str(args.data_root),
                verify_md5=False, pipeline=[dict(type='PackInputs')])
    train = dict(base, split='train', indices=images)
    test = dict(base, split='test', test_mode=True, indices=args.test_images)
    # As in our recipes: read by the batch, without workers
    cfg.train_dataloader = loader(train, args.batch_size, 0, True)
    cfg.val_dataloader = loader(test, args.batch_size, args.workers, False)
    cfg.default_hooks.pop('class_counts')
    if not keeps:
        cfg.default_hooks.pop('heap')
    if memory == 'channels_last':
        cfg.custom_hooks = [dict(type='gssl_mm.ChannelsLastHook')]
    if precision == 'bfloat16':
        cfg.optim_wrapper.type = 'gssl_mm.AmpOptimWrapper'
    return cfg


def build_config(variant: str, args: Any, network_name: str,
                 images: int) -> Config:
    """The config of a variant."""
    side, *switches = VARIANTS[variant]
    if side == 'host':
        return host_config(args, network_name, images)
    return our_config(args, network_name, images, *switches)


def register_host_dataset() -> None:
    """The host's CIFAR-10 without the checksums, for copies of the data."""
    from mmpretrain.datasets import CIFAR10
    from mmpretrain.registry import DATASETS

    class UncheckedCIFAR10(CIFAR10):
        """Accepts what both sides can read."""

        def _check_integrity(self) -> bool:
            return True

    DATASETS.register_module(module=UncheckedCIFAR10)


def draw_archive(root: Path, per_class: int, test_per_class: int) -> None:
    """Write built-in images as CIFAR-10's archive, for want of the data."""
    from gssl_mm.datasets import SyntheticShapes
    folder = root / FOLDER
    folder.mkdir(parents=True)
    for split, count, names in (
        ('train', per_class, [f'data_batch_{i}' for i in range(1, 6)]),
        ('test', test_per_class, ['test_batch'])):
        data = SyntheticShapes(count, split=split, pipeline=[])
        rows = [data[i] for i in range(len(data))]
        images = np.stack([row['img'] for row in rows]).transpose(0, 3, 1, 2)
        labels = np.array([int(row['gt_label']) for row in rows])
        for name, part in zip(names, np.array_split(
                np.arange(len(rows)), len(names)), strict=True):
            content = dict(data=images[part].reshape(len(part), -1),
                           labels=labels[part].tolist())
            (folder / name).write_bytes(pickle.dumps(content, protocol=4))
    meta = dict(label_names=list(data.metainfo['classes']))
    (folder / 'batches.meta').write_bytes(pickle.dumps(meta))


def add_recipe_options(parser: argparse.ArgumentParser) -> None:
    """Options of data, network and schedule."""
    parser.add_argument('--data-root', type=Path, help='folder that holds '
                        f'{FOLDER} (default: built-in images are drawn)')
    parser.add_argument('--networks', nargs='+', choices=list(NETWORKS),
                        default=list(NETWORKS))
    parser.add_argument('--variants', nargs='+', choices=list(VARIANTS),
                        default=list(VARIANTS))
    parser.add_argument('--images', type=int, help='training images an epoch '
                        '(default: by network)')
    parser.add_argument('--test-images', type=int)
    parser.add_argument('--batch-size', type=int)
    parser.add_argument('--workers', type=int)
    parser.add_argument('--lr', type=float, default=0.1)
    parser.add_argument('--depth', type=int, help='of the CIFARResNet')
