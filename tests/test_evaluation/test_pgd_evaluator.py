"""Clean and robust accuracy in one run, resumed, skipping and distributed."""
import csv
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmpretrain.registry import MODELS

from gssl_mm.evaluation.attack_records import load_record, model_digest
from gssl_mm.models.attacks import (
    PGD,
    LogitsShapeError,
    PerturbationUnitsError,
    PixelModel,
    PixelSpaceError,
)
from gssl_mm.seeding import stable_seed

SCRIPT = Path(__file__).with_name('attacked_toy.py')


@pytest.fixture(scope='module')
def toy():
    spec = importlib.util.spec_from_file_location('attacked_toy', SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def plain(toy, tmp_path_factory):
    """Folder, runner and metrics of a run with the defaults."""
    from mmengine.registry import DefaultScope
    folder = tmp_path_factory.mktemp('plain')
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        runner, metrics = toy.run(toy.config(folder))
    return folder, runner, metrics


def records(folder):
    return {path.stem: np.load(path)
            for path in (folder / 'robustness').glob('*.npz')}


def seconds(folder):
    summary = json.loads((folder / 'robustness/summary.json').read_text())
    return {name: found['seconds']
            for name, found in summary['attacks'].items() if name != 'clean'}


def by_hand(toy, runner, name):
    """Attack every image alone, from the start that its position gives."""
    model = PixelModel(runner.model)
    attack = PGD(**{k: v for k, v in toy.ATTACKS[name].items() if k != 'type'})
    dataset = runner.test_dataloader.dataset
    right = []
    for i in range(len(dataset)):
        sample = dataset[i]
        image = sample['inputs'][None].float() / 255
        label = sample['data_samples'].gt_label
        noise = attack.draw_noise(image.shape[1:], torch.Generator(
        ).manual_seed(stable_seed(0, i, 'attack')))
        found = attack(model, image, label, noise=noise[:, None])
        right.append(bool(model(found).argmax(1) == label))
    return np.array(right)


def test_each_attack_is_what_it_is_image_by_image(toy, plain):
    folder, runner, metrics = plain
    clean = np.ones(23, bool)
    clean[[3, 11]] = False
    assert metrics['clean/top1'] == pytest.approx(metrics['accuracy/top1'])
    assert metrics['clean/top1'] == pytest.approx(100 * 21 / 23)
    standing = clean.copy()
    for name in toy.ATTACKS:
        right = by_hand(toy, runner, name)
        record = records(folder)[name]
        assert np.array_equal(record['index'], np.arange(23))
        assert np.array_equal(record['label'] == record['pred_label'], right)
        assert metrics[f'{name}/top1'] == pytest.approx(100 * right.mean())
        standing &= right
        assert metrics[f'{name}/worst_case'] == pytest.approx(
            100 * standing.mean())
    assert metrics['worst_case/top1'] == metrics['again/worst_case']
    values = [metrics[f'{n}/top1'] for n in toy.ATTACKS]
    assert len(set(values)) == 3 and 0 < min(values) < max(values) < 100


def test_records_tables_and_summary(toy, plain):
    folder, _, metrics = plain
    out = folder / 'robustness'
    record = records(folder)['strong']
    assert record['pred_score'].shape == (23, 10)
    assert np.allclose(record['pred_score'].sum(1), 1, atol=1e-5)
    assert record['linf'].max() <= 10 / 255 + 1e-6
    assert (record['l2'] >= record['linf']).all()
    rows = list(csv.DictReader(open(out / 'robust_accuracy.csv')))
    assert list(rows[0]) == ['class', 'clean', *toy.ATTACKS]
    classes = []
    for k, row in enumerate(rows):
        mine = record['label'] == k
        want = (record['pred_label'][mine] == k).mean() * 100
        assert np.isclose(float(row['strong']), want, equal_nan=True)
        classes.append(want)
    assert metrics['strong/worst_class'] == pytest.approx(np.nanmin(classes))
    summary = json.loads((out / 'summary.json').read_text())
    assert summary['metrics'] == pytest.approx(
        {k: v for k, v in metrics.items() if k != 'accuracy/top1'})
    strong = summary['attacks']['strong']
    assert strong['attack']['num_steps'] == 4 and strong['images'] == 23
    assert strong['max_linf'] == pytest.approx(10 / 255, abs=1e-6)


@pytest.mark.parametrize('change', [
    dict(batch=9), {'test_cfg.memory_format': 'contiguous'}, dict(pixels=True),
    {'test_dataloader.sampler.shuffle': True}])
def test_batches_order_and_kind_of_model_do_not_matter(toy, plain, tmp_path,
                                                       change):
    _, metrics = toy.run(toy.config(tmp_path, **change))
    if change.get('pixels'):
        # Another normalisation before least squares: the attack differs
        assert metrics['clean/top1'] == plain[2]['clean/top1']
        assert metrics['strong/top1'] < metrics['clean/top1']
    else:
        assert metrics == plain[2]


def test_skipping_changes_the_work_and_not_the_worst_case(toy, plain, tmp_path):
    _, metrics = toy.run(toy.config(
        tmp_path, **{'test_cfg.skip_broken': True}))
    worst = {k for k in plain[2] if 'worst_case' in k}
    assert len(worst) == 4
    assert {k: plain[2][k] for k in worst} == {k: metrics[k] for k in worst}
    assert not any(f'{n}/top1' in metrics for n in toy.ATTACKS)
    sizes = [len(records(tmp_path)[n]['index']) for n in toy.ATTACKS]
    left = round(plain[2]['weak/worst_case'] * 23 / 100)
    assert sizes[:2] == [21, left] and sizes[2] < left


def test_a_skipping_attack_is_run_anew_on_other_images(toy, plain, tmp_path):
    for names in (('weak', 'strong'), ('strong', )):
        cfg = toy.config(tmp_path, **{'test_cfg.skip_broken': True})
        cfg.test_cfg.attacks = {n: toy.ATTACKS[n] for n in names}
        _, metrics = toy.run(cfg)
    # All 21 that are right without an attack, not those that 'weak' left
    assert len(records(tmp_path)['strong']['index']) == 21
    full = records(plain[0])['strong']
    right = full['label'] == full['pred_label']
    right[[3, 11]] = False
    assert metrics['worst_case/top1'] == pytest.approx(100 * right.mean())


def test_a_part_of_the_images(toy, plain, tmp_path):
    _, metrics = toy.run(toy.config(tmp_path, **{
        'test_cfg.max_samples': dict(strong=7)}))
    for name, size in (('weak', 23), ('strong', 7), ('again', 23)):
        record = records(tmp_path)[name]
        assert np.array_equal(record['index'], np.arange(size))
        full = records(plain[0])[name]
        assert np.array_equal(record['pred_label'],
                              full['pred_label'][:size])
    assert metrics['weak/top1'] == plain[2]['weak/top1']
    everything = np.all([records(plain[0])[n]['pred_label'][:7] == full[
        'label'][:7] for n in ('clean', *toy.ATTACKS) if n in records(
            plain[0])], axis=0)
    everything[3] = False
    assert metrics['worst_case/top1'] == pytest.approx(
        100 * everything.mean())


def test_images_that_the_loader_drops_do_not_count(toy, plain, tmp_path):
    _, metrics = toy.run(toy.config(
        tmp_path, **{'test_dataloader.drop_last': True}))
    right = np.ones(20, bool)
    for name in ('clean', *toy.ATTACKS):
        record = records(plain[0]).get(name)
        good = np.ones(23, bool)
        good[[3, 11]] = False
        if record is not None:
            good = record['label'] == record['pred_label']
        right &= good[:20]
        if name != 'clean':
            assert metrics[f'{name}/worst_case'] == pytest.approx(
                100 * right.mean())
    assert metrics['worst_case/top1'] == metrics['again/worst_case']


def test_the_digest_sees_a_normalisation_that_is_not_saved(toy, tmp_path):
    models = []
    for std in ([60., 50., 55.], [60., 50., 55.], [60., 50., 55.1]):
        cfg = toy.config(tmp_path, **{'model.data_preprocessor.std': std})
        models.append(MODELS.build(cfg.model))
        models[-1].load_state_dict(models[0].state_dict())
    one, same, other = (model_digest(model) for model in models)
    assert one == same != other


def test_progress_is_shown_with_an_eta(toy, tmp_path, capsys):
    toy.run(toy.config(tmp_path))
    out = capsys.readouterr().out
    assert '23/23' in out and 'ETA' in out


class Killed(Exception):
    pass


def test_killed_and_resumed_by_attack(toy, plain, tmp_path, monkeypatch):
    calls = []
    original = PGD.__call__

    def spy(self, *args, **kwargs):
        calls.append(self.num_steps * self.restarts)
        if self.restarts == 2 and len(calls) < 30 and fail:
            raise Killed
        return original(self, *args, **kwargs)

    monkeypatch.setattr(PGD, '__call__', spy)
    fail = True
    with pytest.raises(Killed):
        toy.run(toy.config(tmp_path))
    assert set(records(tmp_path)) == {'weak', 'strong'}
    calls.clear()
    fail = False
    _, metrics = toy.run(toy.config(tmp_path))
    assert set(calls) == {8}
    assert metrics == plain[2]
    calls.clear()
    took = seconds(tmp_path)
    assert toy.run(toy.config(tmp_path))[1] == metrics
    assert not calls
    assert seconds(tmp_path) == took
    assert all(took.values())
    toy.run(toy.config(tmp_path, **{'test_cfg.seed': 1}))
    assert set(calls) == {2, 4, 8}


def test_other_weights_or_a_broken_file_are_run_anew(toy, plain, tmp_path,
                                                     monkeypatch):
    toy.run(toy.config(tmp_path))
    path = tmp_path / 'robustness' / 'weak.npz'
    path.write_bytes(path.read_bytes()[:100])
    assert load_record(path, 'x') is None
    assert toy.run(toy.config(tmp_path))[1] == plain[2]
    fit = toy.fit

    def other(model):
        fit(model)
        model.head.fc.weight.data.mul_(-1)

    monkeypatch.setattr(toy, 'fit', other)
    assert toy.run(toy.config(tmp_path))[1]['weak/top1'] < 50


def test_bfloat16_gradients_keep_the_accuracy(toy, plain, tmp_path):
    _, metrics = toy.run(toy.config(tmp_path, **{
        'test_cfg.dtype': 'bfloat16'}))
    assert metrics['clean/top1'] == plain[2]['clean/top1']
    assert abs(metrics['strong/top1'] - plain[2]['strong/top1']) < 10


@pytest.mark.slow
def test_two_processes_count_every_image_once(toy, plain, tmp_path):
    options = json.dumps(dict(runs=dict(
        all={}, skip={'test_cfg.skip_broken': True})))
    done = subprocess.run(
        [sys.executable, '-m', 'torch.distributed.run', '--standalone',
         '--nproc_per_node=2', str(SCRIPT), str(tmp_path), options],
        env=dict(os.environ, OMP_NUM_THREADS='1'), cwd=tmp_path,
        capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    for rank in (0, 1):
        metrics = json.loads(
            (tmp_path / 'all' / f'metrics{rank}.json').read_text())
        attacks = {k: v for k, v in plain[2].items() if 'accuracy' not in k}
        assert {k: metrics[k] for k in attacks} == attacks
        skipped = json.loads(
            (tmp_path / 'skip' / f'metrics{rank}.json').read_text())
        assert skipped['worst_case/top1'] == plain[2]['worst_case/top1']
    for name in toy.ATTACKS:
        one, two = records(plain[0])[name], records(tmp_path / 'all')[name]
        for key in ('index', 'label', 'pred_label'):
            assert np.array_equal(one[key], two[key])


@pytest.mark.parametrize('change, error, message', [
    ({'test_cfg.attacks': dict(_delete_=True)}, ValueError, 'attacks is empty'),
    ({'test_cfg.attacks.clean': dict(type='gssl_mm.PGD')}, ValueError,
     "'clean' can't name"),
    ({'test_cfg.attacks': {'a/b': dict(type='gssl_mm.PGD')}}, ValueError,
     "'a/b' can't name"),
    ({'test_cfg.attacks.weak.eps': 8}, PerturbationUnitsError, '8 / 255'),
    ({'test_cfg.dtype': 'float16'}, ValueError, 'dtype must be one of'),
    ({'test_cfg.memory_format': 'nhwc'}, ValueError, 'memory_format must'),
    ({'test_cfg.max_samples': dict(other=3)}, ValueError, "names \\['other'"),
    ({'test_cfg.max_samples': 0}, ValueError, 'at least 1'),
    ({'test_cfg.max_samples': dict(weak=-3)}, ValueError, "-3 for 'weak'"),
    ({'test_cfg.attacks': {'..': dict(type='gssl_mm.PGD')}}, ValueError,
     "'..' can't name"),
    ({'model.data_preprocessor': dict(
        _delete_=True, type='ClsDataPreprocessor')}, PixelSpaceError,
     'no mean and std'),
])
def test_bad_input_is_named(toy, tmp_path, change, error, message):
    cfg = toy.config(tmp_path)
    if 'attacks is empty' in message:
        cfg.test_cfg.attacks = {}
    else:
        cfg.merge_from_dict(change)
    with pytest.raises(error, match=message):
        toy.run(cfg)


def test_a_head_without_logits_is_named(toy, tmp_path, monkeypatch):
    fit = toy.fit

    def other(model):
        fit(model)
        predict = model.head.predict
        model.head.predict = lambda feats, samples: predict(feats, samples)
        model.forward = lambda inputs, data_samples=None, mode='tensor': (
            model.predict(inputs, data_samples) if mode == 'predict'
            else (inputs, ))

    monkeypatch.setattr(toy, 'fit', other)
    with pytest.raises(LogitsShapeError, match='a tuple'):
        toy.run(toy.config(tmp_path))
