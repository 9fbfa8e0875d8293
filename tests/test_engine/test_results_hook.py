"""The JSON file that tables are made of."""
import hashlib
import json
import subprocess
from statistics import median

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook

from gssl_mm.datasets import SemiSupervisedSplit
from gssl_mm.engine import run_facts
from gssl_mm.engine.hooks.results_hook import summarise


def test_summary():
    values = [float(v) for v in range(30, 5, -1)]
    steps = list(range(2, 52, 2))
    result = summarise(values, steps)
    assert result == dict(
        last=6., last_epoch=50, best=30., best_epoch=2,
        median_last20=median(values[5:]), history=values)
    lower = summarise([3., 1., 1., 2.], [1, 2, 3, 4], lower=True)
    assert (lower['best'], lower['best_epoch']) == (1., 2)
    gaps = summarise([float('nan'), 4., float('nan')], [1, 2, 3])
    assert (gaps['best'], gaps['best_epoch'], gaps['median_last20']) == (
        4., 2, 4.)
    empty = summarise([float('nan')], [1])
    assert empty['best'] is empty['median_last20'] is None


class Scores(Hook):
    priority = 'HIGHEST'

    def after_val_epoch(self, runner, metrics=None):
        metrics['accuracy/top1'] = [10., 30., 20., 15.][runner.epoch - 1]
        metrics['shot/few'] = float('nan')
        metrics['ece'] = 0.5 * runner.epoch


@pytest.fixture
def result(toy_runner, tmp_path):
    runner = toy_runner(result_label='toy, of 2', total_batch_size=8,
                        cfg_options=['b=[1, 2]', 'data_root=x'])
    runner.register_hook(Scores())
    runner.train()
    text = (tmp_path / 'work' / 'result.json').read_text()
    assert 'NaN' not in text
    return json.loads(text), runner


def test_file(result):
    found, runner = result
    assert found['finished'] is True
    assert found['config'] == 'toy_config' and found['label'] == 'toy, of 2'
    assert found['cfg_options'] == ['b=[1, 2]']
    assert found['seed'] == 3 and found['world_size'] == 1
    assert found['total_batch_size'] == 8 and found['max_epochs'] == 4
    assert found['amp'] is False and found['compile'] is False
    assert 0 < found['wall_time_s'] < 600
    counts = runner.train_dataloader.dataset.class_counts
    assert found['dataset'] == dict(
        type='ToyData', root=None, num_train=40,
        imbalance=dict(ratio=None, profile=None, most=int(counts.max()),
                       least=int(counts.min())))
    assert found['hardware']['threads'] >= 1 and found['hardware']['cpu']
    assert found['hardware']['cpu_capability'] == (
        torch.backends.cpu.get_cpu_capability())
    assert {'python', 'torch', 'gssl_mm', 'numpy'} <= set(found['versions'])
    top1 = found['metrics']['accuracy/top1']
    assert top1 == dict(last=15., last_epoch=4, best=30., best_epoch=2,
                        median_last20=17.5, history=[10., 30., 20., 15.])
    assert found['metrics']['ece']['best_epoch'] == 1
    assert found['metrics']['shot/few'] == dict(
        last=None, last_epoch=4, best=None, best_epoch=None,
        median_last20=None, history=[None] * 4)
    assert set(found['metrics']) == {'accuracy/top1', 'ece', 'shot/few'}
    for key in ('loss', 'loss_cls', 'acc_toy', 'gate_toy'):
        history = runner.message_hub.get_scalar(f'train/{key}').data[0]
        assert found['train_last'][key] == pytest.approx(
            np.mean(history[-5:]), abs=1e-12)
    assert 'time' not in found['train_last']


def test_iterations(toy_runner, tmp_path):
    toy_runner('toy_iter_config.py').train()
    found = json.loads((tmp_path / 'work' / 'result.json').read_text())
    assert found['max_iters'] == 20
    top1 = found['metrics']['accuracy/top1']
    assert top1['last_epoch'] == 20 and len(top1['history']) == 4


def test_validation_alone_writes_nothing(toy_runner, tmp_path):
    toy_runner().val()
    assert not (tmp_path / 'work' / 'result.json').exists()


def test_config_sha_ignores_seed_and_place():
    base = dict(model=dict(a=1), work_dir='x', randomness=dict(seed=0))
    sha = run_facts.config_sha(Config(base))
    assert sha == run_facts.config_sha(
        Config(dict(base, work_dir='y', randomness=dict(seed=1), resume=True)))
    assert sha != run_facts.config_sha(Config(dict(base, model=dict(a=2))))
    data = dict(base, train_dataloader=dict(
        num_workers=2, dataset=dict(data_root='x', ratio=.1)),
        train_cfg=dict(max_epochs=3, val_interval=1))
    elsewhere = dict(data, cfg_options=['a=1'], train_dataloader=dict(
        num_workers=0, dataset=dict(
            data_root='y', ratio=.1, download=False, cache_workers=2)),
        train_cfg=dict(max_epochs=3, val_interval=3))
    assert run_facts.config_sha(Config(data)) == run_facts.config_sha(
        Config(elsewhere)) != sha
    elsewhere['train_dataloader']['dataset']['ratio'] = .2
    assert run_facts.config_sha(Config(data)) != run_facts.config_sha(
        Config(elsewhere))


def test_options_without_places():
    assert run_facts.recipe_options([
        'train_cfg.val_interval=5', 'train_dataloader.num_workers=0',
        'val_dataloader.dataset.data_root=/somewhere', 'randomness.seed=3',
        'compile=True', 'result_label=data']) == [
        'compile=True', 'train_cfg.val_interval=5']


def test_dataset_in_wrappers():

    class Inner:
        data_root = '/data/cifar10/'

    class Wrapper:
        dataset = Inner()
        class_counts = np.array([50, 7, 5])
        imbalance_ratio, profile = 0.1, 'exp'

        def __len__(self):
            return 62

    assert run_facts.describe_dataset(Wrapper()) == dict(
        type='Wrapper of Inner', root='cifar10', num_train=62,
        imbalance=dict(ratio=0.1, profile='exp', most=50, least=5))


def test_the_choice_of_labels_is_told():

    class Inner:
        split = 'train'

        def get_gt_labels(self):
            return np.arange(40) % 2

        def __len__(self):
            return 40

    def describe(**kwargs):
        return run_facts.describe_dataset(
            SemiSupervisedSplit(Inner(), num_labeled=4, **kwargs))

    found = describe(split_seed=3)['split']
    labeled = SemiSupervisedSplit(
        Inner(), num_labeled=4, split_seed=3).split.labeled
    assert found == dict(seed=3, labeled=4, labeled_sha256=hashlib.sha256(
        labeled.astype('<i8').tobytes()).hexdigest())
    assert found != describe(split_seed=4)['split']
    assert 'split' not in run_facts.describe_dataset(Inner())


def test_commit_only_of_the_own_clone(tmp_path, monkeypatch):

    def git(*words):
        subprocess.run(
            ['git', '-c', 'user.name=n', '-c', 'user.email=e', *words],
            cwd=tmp_path, check=True, capture_output=True)

    package = tmp_path / 'env' / 'gssl_mm'
    package.mkdir(parents=True)
    (package / '__init__.py').write_text('')
    monkeypatch.setattr(
        run_facts.gssl_mm, '__file__', str(package / '__init__.py'))
    assert run_facts.git_commit() is None
    git('init', '-q')
    git('commit', '-q', '--allow-empty', '-m', 'other project')
    assert run_facts.git_commit() is None
    git('add', '.')
    git('commit', '-q', '-m', 'own project')
    assert len(run_facts.git_commit()) == 40
    monkeypatch.setenv('PATH', '')
    assert run_facts.git_commit() is None
