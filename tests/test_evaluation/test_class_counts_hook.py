"""Counts reach the metric in training, testing and from a checkpoint."""
import copy
import csv

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import ClassBalancedDataset, RepeatDataset
from mmengine.logging import MessageHub
from mmengine.runner import Runner

from gssl_mm.datasets.label_utils import distinct_class_counts
from gssl_mm.evaluation.utils import COUNTS_KEY
from gssl_mm.registry import DATASETS

pipeline = [dict(type='PackInputs')]
train_set = dict(
    type='gssl_mm.LongTailedDataset',
    imbalance_ratio=0.1,
    dataset=dict(
        type='gssl_mm.SyntheticShapes',
        num_per_class=30,
        num_classes=3,
        image_size=8,
        pipeline=pipeline))
test_set = dict(
    type='gssl_mm.SyntheticShapes',
    num_per_class=4,
    num_classes=3,
    split='test',
    image_size=8,
    pipeline=pipeline)
# floor(30 * 0.1 ** (c / 2))
COUNTS = [30, 9, 3]


def config(work_dir, **changes):
    loader = dict(
        batch_size=16,
        num_workers=0,
        collate_fn=dict(type='default_collate'))
    evaluator = [
        dict(type='Accuracy', topk=(1, )),
        dict(
            type='gssl_mm.ShotAccuracy',
            thresholds=(5, 20),
            per_class_csv=True),
        dict(type='gssl_mm.CalibrationError', bins_csv=True),
    ]
    cfg = dict(
        default_scope='mmpretrain',
        work_dir=str(work_dir),
        model=dict(
            type='ImageClassifier',
            data_preprocessor=dict(num_classes=3, mean=[127.] * 3,
                                   std=[60.] * 3, to_rgb=False),
            backbone=dict(
                type='gssl_mm.CIFARResNet', depth=8, base_channels=2),
            neck=dict(type='GlobalAveragePooling'),
            head=dict(type='LinearClsHead', num_classes=3, in_channels=8)),
        train_dataloader=dict(
            dataset=train_set,
            sampler=dict(type='DefaultSampler', shuffle=True), **loader),
        val_dataloader=dict(
            dataset=test_set,
            sampler=dict(type='DefaultSampler', shuffle=False), **loader),
        val_evaluator=evaluator,
        train_cfg=dict(by_epoch=True, max_epochs=1, val_interval=1),
        val_cfg=dict(),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.01)),
        custom_hooks=[dict(type='gssl_mm.ClassCountsHook')],
        experiment_name=f'{work_dir.name}-{np.random.randint(2**31)}',
        log_level='WARNING')
    cfg['test_dataloader'] = cfg['val_dataloader']
    cfg['test_evaluator'], cfg['test_cfg'] = evaluator, dict()
    cfg.update(changes)
    return Config(copy.deepcopy(cfg))


def counts_in(path):
    with open(path / 'per_class_accuracy.csv', newline='') as file:
        return [int(row['train_count']) for row in csv.DictReader(file)]


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """Return the work dir of a finished run of one epoch."""
    work_dir = tmp_path_factory.mktemp('trained')
    Runner.from_cfg(config(work_dir)).train()
    return work_dir


def test_training_publishes_and_writes(trained):
    assert counts_in(trained) == COUNTS
    assert (trained / 'calibration_bins.csv').exists()
    checkpoint = torch.load(trained / 'epoch_1.pth', weights_only=False)
    assert checkpoint['meta'][COUNTS_KEY] == COUNTS
    assert {type(n) for n in checkpoint['meta'][COUNTS_KEY]} == {int}
    # Neither belongs to what a resumed run takes over.
    info = checkpoint['message_hub']['runtime_info']
    assert COUNTS_KEY not in info and 'work_dir' not in info


def test_testing_builds_the_training_set(tmp_path):
    runner = Runner.from_cfg(config(tmp_path))
    assert runner.message_hub.get_info(COUNTS_KEY) is None
    metrics = runner.test()
    assert counts_in(tmp_path) == COUNTS
    for key in ('many', 'medium', 'few'):
        assert 0 <= metrics[f'shot/{key}'] <= 100
    assert metrics['calibration/nll'] > 0
    # One class a group and equally many images of each.
    mean = sum(metrics[f'shot/{key}'] for key in ('many', 'medium', 'few')) / 3
    assert metrics['accuracy/top1'] == pytest.approx(mean, abs=1e-3)


def test_testing_a_checkpoint_needs_no_training_set(trained, tmp_path):
    cfg = config(
        tmp_path, train_dataloader=None, train_cfg=None, optim_wrapper=None,
        load_from=str(trained / 'epoch_1.pth'))
    Runner.from_cfg(cfg).test()
    assert counts_in(tmp_path) == COUNTS


def test_validating_alone(tmp_path):
    cfg = config(tmp_path)
    assert 'shot/many' in Runner.from_cfg(cfg).val()


def test_nothing_is_built_that_nobody_asks_for(tmp_path):
    broken = dict(dataset=dict(type='NoSuchDataset'))
    evaluator = [dict(type='Accuracy', topk=(1, ))]
    cfg = config(
        tmp_path, train_dataloader=broken, test_evaluator=evaluator)
    assert 'accuracy/top1' in Runner.from_cfg(cfg).test()


def test_without_any_source_the_metric_says_so(tmp_path):
    cfg = config(
        tmp_path, train_dataloader=None, train_cfg=None, optim_wrapper=None)
    with pytest.raises(ValueError, match='does not know the training counts'):
        Runner.from_cfg(cfg).test()


def test_the_data_outrank_the_checkpoint_trained_from(trained, tmp_path):
    balanced = config(tmp_path, load_from=str(trained / 'epoch_1.pth'))
    balanced.train_dataloader.dataset.imbalance_ratio = 1.
    Runner.from_cfg(balanced).train()
    assert counts_in(tmp_path) == [30, 30, 30]
    assert MessageHub.get_current_instance().get_info(
        COUNTS_KEY).tolist() == [30, 30, 30]


def test_distinct_counts_of_other_datasets():
    built = DATASETS.build(train_set)
    assert distinct_class_counts(built).tolist() == COUNTS
    assert distinct_class_counts(built).dtype == np.int64
    repeated = RepeatDataset(DATASETS.build(test_set), times=3)
    assert distinct_class_counts(repeated).tolist() == [4, 4, 4]
    balanced = ClassBalancedDataset(train_set, 0.9)
    assert len(balanced) > sum(COUNTS)
    assert distinct_class_counts(balanced).tolist() == COUNTS
