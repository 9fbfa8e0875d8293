"""A toy task that exercises what a resumed run may get wrong.

Registered by importing this module: data in memory with a transform that draws
from every global generator (in the main process) or from the generator of the
sample (in workers), a net with batch statistics and dropout.
"""
import random

import numpy as np
import torch
from mmpretrain.registry import DATASETS, MODELS
from mmpretrain.structures import DataSample
from torch import nn
from torch.utils.data import Dataset, get_worker_info

from gssl_mm.datasets.sample_random import sample_generator


@DATASETS.register_module(force=True)
class ToyData(Dataset):
    """Four classes of noisy 8x8 images."""

    metainfo = dict(classes=tuple('abcd'))

    def __init__(self, size=40, seed=0, noise=0.3, broken_at=None):
        generator = np.random.default_rng(seed)
        self.labels = generator.integers(0, 4, size)
        patterns = np.random.default_rng(7).normal(size=(4, 3, 8, 8))
        self.images = patterns[self.labels] + generator.normal(
            size=(size, 3, 8, 8))
        self.noise, self.broken_at = noise, broken_at

    def __len__(self):
        return len(self.labels)

    @property
    def class_counts(self):
        return np.bincount(self.labels, minlength=4)

    def _noise(self, index):
        if get_worker_info() is None:
            return (torch.rand(1) + random.random() + np.random.rand()).item()
        return torch.rand(1, generator=sample_generator(0, index, 'n')).item()

    def __getitem__(self, index):
        image = torch.tensor(self.images[index], dtype=torch.float32)
        if self.noise:
            image = image + self.noise * self._noise(index)
        if index == self.broken_at:
            image = image * float('nan')
        sample = DataSample().set_gt_label(int(self.labels[index]))
        sample.set_field(int(index), 'sample_idx', field_type='metainfo')
        return dict(inputs=image, data_samples=sample)


@MODELS.register_module(force=True)
class ToyNet(nn.Module):
    """Two convolutions with batch norm and dropout."""

    def __init__(self, width=6, dropout=0.3, norm=True):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, padding=1)
        self.bn = nn.BatchNorm2d(width) if norm else nn.Identity()
        self.conv2 = nn.Conv2d(width, 8, 3, stride=2)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        x = self.conv2(torch.relu(self.bn(self.conv1(x))))
        return (self.dropout(x).mean((2, 3)), )

    def init_weights(self):
        """Keep torch's own initialisation."""


@MODELS.register_module(force=True)
class ToyHead(nn.Module):
    """A linear head that logs numbers of several kinds."""

    def __init__(self, num_classes=4, extra_log=False):
        super().__init__()
        self.fc = nn.Linear(8, num_classes)
        self.num_classes, self.extra_log = num_classes, extra_log

    def forward(self, feats):
        return self.fc(feats[-1])

    def loss(self, feats, data_samples, **kwargs):
        logits = self(feats).float()
        target = torch.cat([s.gt_label for s in data_samples])
        losses = dict(loss_cls=nn.functional.cross_entropy(logits, target))
        if self.extra_log:
            hits = logits.argmax(1) == target
            losses.update(
                acc_toy=hits.float().mean(), gate_toy=hits.double().mean(),
                loss_small=losses['loss_cls'] * 0.01)
        return losses

    def predict(self, feats, data_samples=None, **kwargs):
        scores = self(feats).softmax(1)
        return [s.set_pred_score(p).set_pred_label(p.argmax())
                for s, p in zip(data_samples, scores, strict=True)]
