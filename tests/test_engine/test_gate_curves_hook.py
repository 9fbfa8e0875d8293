"""The file of the gates' first epoch, and gates that keep a state."""
import copy
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.logging import HistoryBuffer, MessageHub
from mmengine.runner import IterBasedTrainLoop, Runner

from gssl_mm.engine.hooks import GateCurvesHook

CONFIG = Path(__file__).with_name('gssl_config.py')


def feed(hook, runner, values):
    """Train as many iterations as there are values."""
    hub = runner.message_hub
    for runner.iter in range(len(next(iter(values.values())))):
        for key, found in values.items():
            # The host's history forgets what is older than its length
            hub.log_scalars.setdefault(key, HistoryBuffer(
                max_length=2)).update(found[runner.iter])
        hook.after_train_iter(runner, runner.iter)


def fake_runner(tmp_path, length):
    hub = MessageHub.get_instance(f'{tmp_path.name}_{length}')
    return SimpleNamespace(train_dataloader=[0] * length, message_hub=hub,
                           work_dir=str(tmp_path), train_loop=None)


def test_file_holds_iterations_and_means_of_epochs(tmp_path):
    values = {'train/gate_flip': [.1, .2, .6, .8], 'train/loss': [1.] * 4,
              'train/acc_flip': [1., float('nan'), 2., 4.],
              'val/gate_flip': [0.] * 4}
    feed(GateCurvesHook(), fake_runner(tmp_path, 2), values)
    found = json.loads((tmp_path / 'gate_curves.json').read_text())
    assert found == dict(
        iterations=2,
        first_epoch=dict(gate_flip=[.1, .2], acc_flip=[1., None]),
        epochs=dict(gate_flip=[.15, .7], acc_flip=[None, 3.]))


def test_a_run_that_ends_within_its_first_pass(tmp_path):
    hook, runner = GateCurvesHook(), fake_runner(tmp_path, 3)
    runner.train_loop = IterBasedTrainLoop.__new__(IterBasedTrainLoop)
    feed(hook, runner, {'train/gate_flip': [.1, .2]})
    assert not list(tmp_path.iterdir())
    hook.after_train(runner)
    found = json.loads((tmp_path / 'gate_curves.json').read_text())
    assert found == dict(iterations=3, first_epoch=dict(gate_flip=[.1, .2]),
                         epochs={})


def test_nothing_is_written_without_a_gate(tmp_path):
    feed(GateCurvesHook(), fake_runner(tmp_path, 1),
         {'train/loss': [1.], 'train/acc_single': [1.]})
    assert not list(tmp_path.iterdir())


def config(work_dir, gate, epochs=2, **changes):
    cfg = Config.fromfile(CONFIG)
    cfg.work_dir, cfg.experiment_name = str(work_dir), work_dir.name
    cfg.model.head.gate = gate
    cfg.default_hooks.gate_curves = dict(type='gssl_mm.GateCurvesHook')
    cfg.train_cfg.max_epochs = epochs
    cfg.merge_from_dict(changes)
    return cfg


def train(cfg):
    runner = Runner.from_cfg(copy.deepcopy(cfg))
    runner.train()
    return runner


def curves(cfg):
    return json.loads(Path(cfg.work_dir, 'gate_curves.json').read_text())


GATE = dict(type='gssl_mm.AlignedGate', momentum=0.2, cut_negative=True)


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    cfg = config(tmp_path_factory.mktemp('whole'), GATE)
    return cfg, train(cfg)


def test_every_iteration_is_in_the_file(whole):
    cfg, runner = whole
    found = curves(cfg)
    length = len(runner.train_dataloader)
    assert found['iterations'] == length == runner.iter // 2
    for kind in ('gate', 'agree', 'acc', 'ce'):
        for task in ('lorot', 'flip', 'perm'):
            assert len(found['first_epoch'][f'{kind}_{task}']) == length
            assert len(found['epochs'][f'{kind}_{task}']) == 2
    assert float(runner.model.head.gate.steps) == runner.iter


def test_resumed_equals_uninterrupted(whole, tmp_path):
    cfg, runner = whole
    half = config(tmp_path / 'half', GATE, epochs=1)
    train(half)
    rest = config(tmp_path / 'half', GATE, resume=True, experiment_name='rest',
                  load_from=f'{half.work_dir}/epoch_1.pth')
    resumed = train(rest)
    for key, value in runner.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[key]), key
    assert curves(rest) == curves(cfg)


@pytest.mark.parametrize('gate', [
    GATE, dict(type='gssl_mm.UncertaintyGate'),
    dict(type='gssl_mm.SoftmaxGate', divide_by_chance=True, balance=1.)])
def test_amp_ema_and_accumulation_together(gate, tmp_path):
    cfg = config(tmp_path / 'all', gate, epochs=1, **{
        'optim_wrapper.type': 'gssl_mm.AmpOptimWrapper',
        'optim_wrapper.accumulative_counts': 2})
    cfg.custom_hooks.append(dict(type='EMAHook', momentum=0.1))
    runner = train(cfg)
    assert all(v.isfinite().all() for v in runner.model.state_dict().values())
    found = curves(cfg)['first_epoch']
    assert all(0 <= v <= 2 for v in found['gate_flip'])
    state = torch.load(f'{cfg.work_dir}/epoch_1.pth', weights_only=False)
    averaged = {k.removeprefix('module.') for k in state['ema_state_dict']}
    assert set(state['state_dict']) <= averaged | {'steps'}


@pytest.mark.slow
@pytest.mark.parametrize('gate', [
    GATE,
    dict(type='gssl_mm.SoftmaxGate', divide_by_chance=True, balance=1.)])
def test_compiled_equals_eager(gate, tmp_path):
    eager = config(tmp_path / 'eager', gate, epochs=1)
    compiled = config(tmp_path / 'compiled', gate, epochs=1, compile=True)
    train(eager), train(compiled)
    one, two = curves(eager)['first_epoch'], curves(compiled)['first_epoch']
    for key in ('gate_flip', 'ce_perm'):
        assert torch.allclose(torch.tensor(one[key][:2]),
                              torch.tensor(two[key][:2]), rtol=1e-3), key
