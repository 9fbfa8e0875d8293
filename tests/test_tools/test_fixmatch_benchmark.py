"""The benchmark of FixMatch's streams at a tiny size."""
import json

import pytest
import torch
from mmengine.logging import MessageHub


@pytest.fixture
def bench(load):
    return load('fixmatch_step')


def test_quick_run(bench, tmp_path):
    out = tmp_path / 'numbers.json'
    assert bench.main(['--quick', '--out', str(out)]) == 0
    found = json.loads(out.read_text())
    assert [row['variant'] for row in found['rows']] == [
        'cached views', 'real streams', 'streams alone']
    assert all(row['ms'] > 0 for row in found['rows'])
    (promise, ) = found['promises']
    assert (promise['limit'], promise['relation']) == (1.1, '<=')
    assert promise['ratio'] == found['rows'][1]['time_ratio']


def test_both_steps_are_the_model_s_own(bench):
    """Streams and step in two halves train what train_step trains."""
    weights = []
    for whole in (True, False):
        args = bench.parse_args(['--quick', '--precision', 'float32'])
        training = bench.Training(bench.read_recipe(args), args)
        if whole:
            MessageHub.get_current_instance().update_info('iter', 0)
            training.model.train_step(next(training.batches),
                                      training.wrapper)
        else:
            training.step(training.views())
        weights.append(training.model.state_dict())
    one, two = weights
    assert all(torch.equal(one[key], two[key]) for key in one)
    assert one['head.fc.bias'].any()


def test_the_default_is_table_4(bench):
    args = bench.parse_args([])
    assert args.config == 'wrn28-2-fixmatch_cifar10-4000'
    cfg = bench.read_recipe(args)
    assert cfg.train_dataloader.batch_size == 64
    assert cfg.model.backbone.depth == 28
