"""The races at tiny sizes: that they compare like with like, not how fast."""
import json
import os
import sys
from argparse import Namespace

import numpy as np
import pytest
from mmpretrain.registry import DATASETS


def options(root):
    return Namespace(data_root=root, batch_size=8, workers=0, rounds=3, lr=0.1,
                     test_images=8, depth=8)


@pytest.mark.parametrize('network', ['CIFARResNet-32', 'ResNet_CIFAR-18'])
def test_both_sides_train_the_same_thing(load, tmp_path, network):
    recipes = load('bench_recipes')
    args = options(tmp_path)
    host, *ours = (recipes.build_config(name, args, network, 16)
                   for name in recipes.VARIANTS)
    preprocessor = host.data_preprocessor
    assert [step.type for step in host.train_dataloader.dataset.pipeline] == [
        'RandomCrop', 'RandomFlip', 'PackInputs']
    for cfg in ours:
        model = cfg.model.to_dict()
        own = model.pop('data_preprocessor')
        assert model == host.model.to_dict()
        assert own['augment'][0]['padding'] == 4
        for key in ('mean', 'std', 'to_rgb'):
            assert own[key] == preprocessor[key]
        for key in ('train_cfg', 'optim_wrapper', 'param_scheduler',
                    'randomness', 'val_evaluator'):
            mine, other = dict(cfg[key]), dict(host[key])
            mine.pop('type', None), other.pop('type', None)
            assert mine == other, key
        for part in ('train', 'val'):
            one, two = (c[f'{part}_dataloader'].to_dict() for c in (cfg, host))
            sets = [loader.pop('dataset') for loader in (one, two)]
            assert one == two
            assert sets[0]['indices'] == sets[1]['indices']
    plain, last, amp, given_back = ours
    assert plain.model.data_preprocessor.memory_format == 'contiguous'
    assert last.model.data_preprocessor.memory_format == 'channels_last'
    assert last.custom_hooks[0].type == 'gssl_mm.ChannelsLastHook'
    assert plain.get('custom_hooks') is None
    assert amp.optim_wrapper.type == 'gssl_mm.AmpOptimWrapper'
    assert last.optim_wrapper.get('type') is None
    assert amp.default_hooks.pop('heap').type == 'gssl_mm.HeapHook'
    assert given_back.to_dict() == amp.to_dict()


def test_both_sides_read_the_same_drawn_images(load, tmp_path):
    recipes = load('bench_recipes')
    recipes.draw_archive(tmp_path, 2, 1)
    if 'UncheckedCIFAR10' not in DATASETS:
        recipes.register_host_dataset()
    args = options(tmp_path)
    for part, size in (('train', 15), ('val', 8)):
        found = []
        for variant in ('host', 'ours'):
            cfg = recipes.build_config(variant, args, 'CIFARResNet-32', 15)
            data = cfg[f'{part}_dataloader'].dataset
            data.pipeline = []
            found.append(DATASETS.build(data))
        assert len(found[0]) == len(found[1]) == size
        for i in range(size):
            one, two = found[0][i], found[1][i]
            assert np.array_equal(one['img'], two['img'])
            assert one['gt_label'] == two['gt_label']


CHILD = '''
import json, os, sys
source, sink = (int(word) for word in sys.argv[1:])
reader, writer = os.fdopen(source, 'rb', buffering=0), os.fdopen(sink, 'w', 1)
say = lambda **words: writer.write(json.dumps(words) + chr(10))
say(event='ready', metrics={})
for turn in range(3):
    if reader.readline() != b'go' + bytes([10]):
        break
    if turn == 2:
        sys.exit('died of it')
    say(event='ready', train_s=turn + 1, epoch_s=9, metrics=dict(a=turn))
'''


def test_a_run_waits_for_its_turn_and_its_death_is_told(load, tmp_path):
    turns = load('bench_turns')
    entrant = turns.Entrant([sys.executable, '-c', CHILD], tmp_path / 'log',
                            dict(os.environ))
    assert entrant.wait()['event'] == 'ready'
    assert [entrant.turn()['train_s'] for _ in range(2)] == [1, 2]
    assert entrant.metrics == dict(a=1)
    with pytest.raises(ChildProcessError, match='died of it'):
        entrant.turn()
    entrant.close()


def test_promises_are_speeds_over_the_host(load):
    bench = load('host_comparison')
    rows = [dict(part=part, variant=variant, time_ratio=ratio)
            for part, ratios in (('CIFARResNet-32', (1., .9, .4)),
                                 ('ResNet_CIFAR-18', (1., 1.1, .5)))
            for variant, ratio in zip(
                ('host', 'ours', 'ours, channels_last, bf16'), ratios,
                strict=True)]
    found = [(p.ratio, p.limit, p.holds) for p in bench.promises_of(rows)]
    assert found == [(1 / .9, 1., True), (2.5, 2.2, True),
                     (1 / 1.1, 1., False)]


def test_model_of_many_gpus(load):
    model = load('bench_scaling')
    compute = {2: .010, 4: .012, 8: .020}
    assert model.step_of(compute, 1) == .010
    assert model.step_of(compute, 3) == pytest.approx(.011)
    assert model.step_of(compute, 8) == .020
    assert model.step_of(compute, 16) == pytest.approx(.040)
    args = Namespace(inside=100., between=10., latency=5., node=4,
                     gpus=[1, 4, 8, 64])
    reduced = dict(gradient_bytes=3_000_000, other_bytes=1_000_000, calls=2)
    inside = 2 * 3 / 4 * 4e6 / 100e9 + 2 * 3 * 5e-6 * 2
    assert model.reduction_time(4, reduced, args) == pytest.approx(inside)
    between = 2 * 7 / 8 * 4e6 / 10e9 + 2 * 7 * 5e-6 * 2
    assert model.reduction_time(8, reduced, args) == pytest.approx(between)
    curve = {(row['scaling'], row['gpus']): row
             for row in model.model_curve(compute, reduced, args)}
    assert ('strong', 64) not in curve
    assert curve['weak', 1]['efficiency_slow'] == pytest.approx(1)
    strong = curve['strong', 4]
    assert strong['images_each'] == 2
    assert strong['ms_slow'] == pytest.approx(10 + 1e3 * inside)
    assert strong['ms_fast'] == pytest.approx(10)
    assert strong['efficiency_fast'] == pytest.approx(.020 / .010 / 4)
    weak = curve['weak', 64]
    assert weak['efficiency_slow'] == pytest.approx(.020 / (
        .020 + model.reduction_time(64, reduced, args)))


@pytest.mark.slow
def test_host_comparison(run_tool, tmp_path):
    out = tmp_path / 'numbers.json'
    done = run_tool('benchmarks/host_comparison.py', '--quick', '--out', out)
    assert done.returncode == 0, done.stderr
    found = json.loads(out.read_text())
    assert [(row['part'], row['variant']) for row in found['rows']] == [
        (network, variant) for network in ('CIFARResNet-32', 'ResNet_CIFAR-18')
        for variant in ('host', 'ours', 'ours, channels_last',
                        'ours, channels_last, bf16',
                        'ours, channels_last, bf16, without HeapHook')]
    for row in found['rows']:
        assert row['images_per_s'] > 0 and 0 <= row['accuracy'] <= 100
        assert row['epoch_s'] > 0 and len(row['all_ms']) == 1
    assert [p['limit'] for p in found['promises']] == [1., 2.2, 1.]


@pytest.mark.slow
def test_scaling(run_tool, tmp_path):
    out = tmp_path / 'numbers.json'
    done = run_tool('benchmarks/scaling.py', '--quick', '--out', out)
    assert done.returncode == 0, done.stderr
    found = json.loads(out.read_text())
    assert [row['variant'] for row in found['rows']] == [
        '2 images', '4 images', '1 process', '2 processes, 4 images in all',
        '2 processes, 4 images each']
    reduced = found['reduced']
    # Trainable numbers of a ResNet-8 with cosine heads, four bytes each
    assert reduced['gradient_bytes'] % 4 == 0
    assert 70_000 < reduced['gradient_bytes'] / 4 < 90_000
    assert reduced['other_bytes'] > 0 and reduced['calls'] >= 2
    assert len(found['model']['curve']) == 7 + 3
    assert 'not measured' in done.stdout
    again = run_tool('benchmarks/scaling.py', '--quick', '--no-processes',
                     '--compute', tmp_path / 'other.json')
    assert again.returncode != 0
