import argparse
import copy

import pytest
from mmengine.config import Config

from gssl_mm.tooling.arguments import CfgOptions
from gssl_mm.tooling.errors import (
    OptionError,
    UnknownComponentError,
    UnknownConfigKeyError,
)
from gssl_mm.tooling.key_check import (
    check_config_keys,
    check_option_keys,
    merge_options,
)


@pytest.fixture
def cfg(toy, monkeypatch):
    monkeypatch.syspath_prepend(str(toy.parent))
    return Config.fromfile(str(toy))


def test_a_right_config_passes(cfg):
    before = copy.deepcopy(cfg.to_dict())
    check_config_keys(cfg)
    assert cfg.to_dict() == before


@pytest.mark.parametrize('path, value, hint', [
    ('model.head.loss.loss_wieght', 2., "'loss_weight'"),
    ('model.haed', dict(num_classes=3), "'head'"),
    ('model.backbone.depth', 3, 'width'),
    ('train_dataloader.num_worker', 0, "'num_workers'"),
    ('train_dataloader.dataset.sise', 3, "'size'"),
    ('train_cfg.max_epoch', 3, "'max_epochs'"),
    ('optim_wrapper.optimizer.learning_rate', 1., 'lr'),
    ('optim_wrapper.paramwise_cfg.norm_decay', 0., "'norm_decay_mult'"),
    ('randomness.sede', 0, "'seed'"),
    ('env_cfg.cudnn_benchmarks', True, "'cudnn_benchmark'"),
    ('auto_scale_lr.base_batchsize', 3, "'base_batch_size'"),
    ('param_scheduler.factr', 1., "'factor'"),
    ('default_hooks.logger.intervall', 1, "'interval'"),
    ('default_hooks.visualization.intervall', 1, "'interval'"),
    ('val_evaluator.topks', 1, "'topk'"),
    ('train_datalaoder', dict(), "'train_dataloader'"),
    ('total_batchsize', 8, "'total_batch_size'"),
])
def test_a_misspelt_key_is_refused(cfg, path, value, hint):
    cfg.merge_from_dict({path: value})
    with pytest.raises(UnknownConfigKeyError, match=path) as error:
        check_config_keys(cfg)
    assert hint in str(error.value)


@pytest.mark.parametrize('path, value', [
    ('optim_wrapper.paramwise_cfg.custom_keys.gate.lr_mult', 2.),
    ('optim_wrapper.clip_grad.max_norm', 1.),
    ('optim_wrapper.accumulative_counts', 2),
    ('train_dataloader.prefetch_factor', 2),
    ('model.backbone.width', 8),
    ('randomness.deterministic', True),
    ('custom_hooks', [dict(type='EMAHook', momentum=1e-3, priority='LOW')]),
    ('model.train_cfg.augments', [dict(type='Mixup', alpha=1.)]),
    ('my_own_helper', 3),
    ('param_scheduler', [dict(type='LinearLR', start_factor=.1, by_epoch=True,
                              begin=0, end=5, convert_to_iter_based=True)]),
    ('model.head.init_cfg', dict(type='Normal', layer='Linear', std=.01)),
    ('model_wrapper_cfg', dict(type='MMDistributedDataParallel',
                               broadcast_buffers=False, device_ids=None)),
])
def test_a_key_that_is_read_passes(cfg, path, value):
    cfg.merge_from_dict({path: value})
    check_config_keys(cfg)


@pytest.mark.parametrize('path, name, hint', [
    ('model.head', 'LinearClsHed', "'LinearClsHead'"),
    ('model.head', 'LDAMLoss', "'gssl_mm.LDAMLoss'"),
    ('model.head', 'gssl_mm.LDAMLos', "'gssl_mm.LDAMLoss'"),
    ('model.backbone', 'mmrotate.ReDet', 'pip install mmrotate'),
    ('model.backbone', 'Xyzzy', 'custom_imports'),
])
def test_an_unknown_component_gets_a_hint(cfg, path, name, hint):
    cfg.merge_from_dict({f'{path}.type': name})
    with pytest.raises(UnknownComponentError, match=name) as error:
        check_config_keys(cfg)
    assert hint in str(error.value) and path in str(error.value)


@pytest.mark.parametrize('path, hint', [
    ('param_scheduler.9.gamma', 'Index 9'), ('model.backbone.width.x', 'width')
])
def test_options_that_do_not_fit_are_named(cfg, path, hint):
    cfg.param_scheduler = [dict(type='ConstantLR')]
    cfg.model.backbone.width = 4
    with pytest.raises(OptionError, match=f'{path}=1 .*{hint}'):
        merge_options(cfg, {path: 1})


def test_option_keys_at_the_top_level():
    check_option_keys({'model.x': 1, 'helper': 2}, ['model', 'helper'])
    check_option_keys({'compile': True}, [])
    check_option_keys(None, [])
    with pytest.raises(UnknownConfigKeyError, match="'model'"):
        check_option_keys({'modle.head.x': 1}, ['model'])
    with pytest.raises(UnknownConfigKeyError, match='helper'):
        check_option_keys({'helper': 1}, ['model'])


def test_inherited_scope_finds_own_types_without_prefix(cfg):
    cfg.model.head = dict(type='LDAMLoss', _scope_='gssl_mm')
    check_config_keys(cfg)


@pytest.mark.parametrize('word, value', [
    ('a=CIFAR-10 in JPEG', 'CIFAR-10 in JPEG'), ('a="two words"', 'two words'),
    ('a=3', 3), ('a=0.5', 0.5), ('a=True', True), ('a=None', None),
    ('a=[1, 2]', [1, 2]), ('a=1,2', [1, 2]), ('a=(x, 2)', ('x', 2))])
def test_options_are_read_as_the_host_reads_them_with_spaces_kept(word, value):
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=CfgOptions)
    found = parser.parse_args(['--cfg-options', word]).cfg_options['a']
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize('word, value', [
    ("a={'type': 'X', 'k': [1, 2]}", {'type': 'X', 'k': [1, 2]}),
    ("a=[{'type':'X'},{'type':'Y','k':0.5}]",
     [{'type': 'X'}, {'type': 'Y', 'k': 0.5}])])
def test_options_may_be_dictionaries(word, value):
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=CfgOptions)
    args = parser.parse_args(['--cfg-options', 'b=1', word])
    assert args.cfg_options == {'b': 1, 'a': value}


@pytest.mark.parametrize('text', ['a set, shortened', '[1, 2]', 'a=b', '3'])
def test_a_label_is_a_text_whatever_is_in_it(text):
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=CfgOptions)
    args = parser.parse_args(
        ['--cfg-options', 'b=1', f'result_label="{text}"', 'c=2'])
    assert args.cfg_options == {'b': 1, 'result_label': text, 'c': 2}


@pytest.mark.parametrize('word', [
    'a=[dict(type="X",k=1),dict(type="Y")]', 'a={type: 1}', 'a=[1,(2]',
    "a={'x': open('/etc/hostname')}"])
def test_options_that_cannot_be_read_are_usage_errors(word, capsys):
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=CfgOptions)
    with pytest.raises(SystemExit, match='2'):
        parser.parse_args(['--cfg-options', word])
    assert 'cannot read the value' in capsys.readouterr().err
