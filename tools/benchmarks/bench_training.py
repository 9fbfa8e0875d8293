"""Training steps of a config, outside a runner."""
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.logging import MessageHub
from mmengine.optim import build_optim_wrapper
from mmengine.runner import Runner
from mmengine.utils.dl_utils import set_multi_processing
from mmpretrain.structures import DataSample
from torch import nn

import gssl_mm.engine
import gssl_mm.models  # noqa: F401  both register what configs name
from gssl_mm.datasets import ArrayDataset, ArraySource
from gssl_mm.datasets.long_tailed_profile import profile_counts
from gssl_mm.engine import convert_to_channels_last, keep_optimizer_eager
from gssl_mm.registry import MODELS
from gssl_mm.tooling.batch_size import apply_total_batch_size
from gssl_mm.tooling.config_file import read_config
from gssl_mm.tooling.loaders import drop_impossible, set_loader_defaults

CONFIGS = Path(__file__).resolve().parents[2] / 'configs' / 'gssl'
AMP = {'float32': 'OptimWrapper', 'bfloat16': 'gssl_mm.AmpOptimWrapper'}
IMAGES_PER_CLASS, NUM_CLASSES = 5000, 10


class Pixels(ArrayDataset):
    """Random images in the shape of CIFAR-10's training set.

    Args:
        per_class (int): Images of each of the ten classes.
        **kwargs: Other arguments of :class:`ArrayDataset`.
    """

    METAINFO = dict(classes=tuple('abcdefghij'))

    def __init__(self, per_class: int = IMAGES_PER_CLASS, **kwargs) -> None:
        self.per_class = per_class
        super().__init__(**kwargs)

    def load_arrays(self) -> ArraySource:
        """Draw the images that are asked for."""
        labels = np.repeat(np.arange(NUM_CLASSES), self.per_class)
        draw = np.random.default_rng(0).integers
        return ArraySource(
            labels,
            lambda rows: draw(0, 256, (len(rows), 32, 32, 3), np.uint8))


def read_recipe(name: str, args: Any) -> Config:
    """Read a config of configs/gssl and reduce it as the options say."""
    cfg = read_config(str(CONFIGS / f'{name}.py'))
    if args.depth:
        cfg.model.backbone['depth'] = args.depth
    if args.batch_size:
        cfg.total_batch_size = args.batch_size
    set_loader_defaults(cfg)
    drop_impossible(cfg)
    apply_total_batch_size(cfg, 1)
    return cfg


def converts_weights(cfg: Config) -> bool:
    """Tell whether the config asks for channels-last weights."""
    hooks = [*(cfg.get('default_hooks') or {}).values(),
             *(cfg.get('custom_hooks') or [])]
    return any(str(hook.get('type', '')).endswith('ChannelsLastHook')
               for hook in hooks if hook)


def random_batch(cfg: Config) -> dict:
    """A collated batch of a training loader, drawn at random."""
    size = cfg.train_dataloader.batch_size
    images = torch.randint(256, (size, 3, 32, 32), dtype=torch.uint8)
    samples = [DataSample().set_gt_label(i % NUM_CLASSES) for i in range(size)]
    return dict(inputs=images, data_samples=samples)


def build_loader(cfg: Config, args: Any) -> torch.utils.data.DataLoader:
    """The config's training loader, on real or on random images."""
    set_multi_processing(**cfg.env_cfg.mp_cfg)
    loader = cfg.train_dataloader.to_dict()
    inner = loader['dataset']['dataset']
    if args.data_root:
        inner.update(data_root=args.data_root, verify_md5=False)
    else:
        per_class = args.images_per_class or IMAGES_PER_CLASS
        loader['dataset']['dataset'] = dict(
            type=Pixels, per_class=per_class, pipeline=inner['pipeline'])
    return Runner.build_dataloader(loader, seed=0)


class Trainer:
    """A model, its optimizer and the count of its steps.

    Args:
        cfg (Config): As :func:`read_recipe` returns it.
        device (str): ``'cpu'`` or ``'cuda'``.
        precision (str): ``'float32'`` or ``'bfloat16'`` (autocast).
        memory (str): ``'config'`` does what the config does,
            ``'contiguous'`` and ``'channels_last'`` are for images and weights,
            ``'images'`` is channels-last for images alone.
        compiled (str): ``''``, ``'step'`` as with ``compile=True`` in a config,
            or ``'backbone'``.
    """

    def __init__(self, cfg: Config, device: str, precision: str = 'float32',
                 memory: str = 'config', compiled: str = '') -> None:
        cfg = cfg.to_dict()
        weights = converts_weights(Config(cfg))
        if memory != 'config':
            cfg['model']['data_preprocessor']['memory_format'] = (
                'contiguous' if memory == 'contiguous' else 'channels_last')
            weights = memory == 'channels_last'
        torch.manual_seed(0)
        self.model = build_model(cfg['model'], weights, device)
        self.wrapper = build_optim_wrapper(
            self.model, dict(cfg['optim_wrapper'], type=AMP[precision]))
        self.run = self.model.train_step
        if compiled == 'step':
            keep_optimizer_eager(self.wrapper)
            self.run = torch.compile(self.model.train_step)
        elif compiled == 'backbone':
            self.model.backbone.compile()
        self.hub = MessageHub.get_current_instance()
        self.steps = 0

    def step(self, batch: dict) -> dict:
        """One step, with the draws of its iteration as in a runner."""
        self.hub.update_info('seed', 0)
        self.hub.update_info('iter', self.steps)
        self.steps += 1
        return self.run(batch, self.wrapper)


def build_model(cfg: dict, channels_last_weights: bool,
                device: str) -> nn.Module:
    """Build and initialise a model as a runner and its hooks do."""
    model = MODELS.build(cfg)
    model.init_weights()
    model = model.to(device).train()
    if channels_last_weights:
        convert_to_channels_last(model)
    head = cfg['head']
    classes = head.get('primary', head)['num_classes']
    counts = profile_counts(np.full(classes, IMAGES_PER_CLASS), 0.01, 'exp')
    for module in model.modules():
        if hasattr(module, 'set_class_counts'):
            module.set_class_counts(counts)
    return model


def loader_pass(trainer: Trainer, loader: Any) -> Callable[[], int]:
    """A function that trains one epoch; it returns the number of steps."""

    def run() -> int:
        steps = 0
        for batch in loader:
            trainer.step(batch)
            steps += 1
        return steps

    return run
