from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.model import MMDistributedDataParallel
from mmengine.runner import IterBasedTrainLoop

from gssl_mm.datasets.errors import LabelError
from gssl_mm.engine.hooks import LDAMHook
from gssl_mm.models.losses import LDAMLoss, effective_number_weights
from gssl_mm.registry import HOOKS

COUNTS = [50, 10, 2]


class Labels:
    """A dataset of the host's kind: labels, no counts."""

    metainfo = dict(classes=('a', 'b', 'c'))

    def __len__(self):
        return sum(COUNTS)

    def get_gt_labels(self):
        return np.repeat(np.arange(3), COUNTS)


class Net(torch.nn.Module):

    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(2, 3)
        self.loss = LDAMLoss()


def runner(dataset, model=None, epoch=0):
    return SimpleNamespace(
        model=model or Net(), epoch=epoch, train_loop=None,
        train_dataloader=SimpleNamespace(dataset=dataset))


@pytest.mark.parametrize('dataset', [
    Labels(), SimpleNamespace(class_counts=np.array(COUNTS))])
def test_margins_come_from_the_training_set(dataset):
    run = runner(dataset)
    HOOKS.build(dict(type='gssl_mm.LDAMHook')).before_train(run)
    expected = LDAMLoss(class_counts=COUNTS).margins
    assert torch.equal(run.model.loss.margins, expected)


def test_weights_are_deferred_and_replayed_on_resume():
    run, hook = runner(Labels()), LDAMHook(drw_epoch=3)
    hook.before_train(run)
    drw = torch.tensor(effective_number_weights(COUNTS, 0.9999)).float()
    for epoch in range(5):
        run.epoch = epoch
        hook.before_train_iter(run, 0)
        weight = run.model.loss.class_weight
        assert torch.equal(weight, drw if epoch >= 3 else torch.ones(3))
    # A new process that resumes at epoch 4 knows nothing of the switch
    resumed, fresh = runner(Labels(), epoch=4), LDAMHook(drw_epoch=3)
    fresh.before_train(resumed)
    fresh.before_train_iter(resumed, 0)
    assert torch.equal(resumed.model.loss.class_weight, drw)


@pytest.mark.parametrize('drw_epoch, weighted', [(0, True), (None, False)])
def test_reweighting_throughout_or_never(drw_epoch, weighted):
    run, hook = runner(Labels()), LDAMHook(drw_epoch=drw_epoch)
    hook.before_train(run)
    hook.before_train_iter(run, 0)
    assert (run.model.loss.class_weight != 1).any() == weighted


@pytest.mark.parametrize('start', [0, 10])
def test_a_pass_of_an_iteration_based_loop_is_an_epoch(start):
    run, hook = runner(Labels()), LDAMHook(drw_epoch=2)
    run.train_loop = IterBasedTrainLoop.__new__(IterBasedTrainLoop)
    hook.before_train(run)
    run.train_dataloader = [None] * 4
    for run.iter in range(start, 12):
        hook.before_train_iter(run, 0)
        weighted = (run.model.loss.class_weight != 1).any()
        assert weighted == (run.iter >= 8)


def test_reaches_into_a_distributed_wrapper(tmp_path):
    torch.distributed.init_process_group(
        'gloo', init_method=f'file://{tmp_path}/store', rank=0, world_size=1)
    try:
        model = MMDistributedDataParallel(Net(), device_ids=None)
        run, hook = runner(Labels(), model), LDAMHook(drw_epoch=0)
        hook.before_train(run)
        hook.before_train_iter(run, 0)
        assert model.module.loss.margins.numel() == 3
        assert (model.module.loss.class_weight != 1).any()
    finally:
        torch.distributed.destroy_process_group()


def test_mistakes_are_named():
    with pytest.raises(ValueError, match='no loss that takes class counts'):
        LDAMHook().before_train(runner(Labels(), torch.nn.Linear(2, 2)))
    with pytest.raises(LabelError, match='get_gt_labels'):
        LDAMHook().before_train(runner([0, 1]))
    with pytest.raises(ValueError, match='beta'):
        LDAMHook(beta=1)
    with pytest.raises(ValueError, match='drw_epoch'):
        LDAMHook(drw_epoch=-1)
