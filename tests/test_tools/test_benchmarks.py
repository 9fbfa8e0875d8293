"""Benchmarks at tiny sizes: that they run, compare and judge, not how fast."""
import json
import os
import tarfile
from argparse import Namespace

import pytest
import torch


def test_variants_take_turns_and_ratios_are_paired(load):
    common = load('bench_common')
    order = []
    values = dict(a=iter([1., 2., 9.]), b=iter([2., 4., 3.]))
    times = common.interleave(
        {name: lambda name=name: order.append(name) or next(values[name])
         for name in 'ab'}, 3)
    assert order == ['a', 'b', 'b', 'a', 'a', 'b']
    assert times == dict(a=[1., 2., 9.], b=[2., 4., 3.])
    # Medians alone would say 2 / 3
    assert common.paired_ratio(times['a'], times['b']) == .5
    row = common.timing_row('p', 'a', times['a'], 128, times['b'])
    assert row['ms'] == 2000 and row['images_per_s'] == 64
    assert row['time_ratio'] == .5


def test_clock_runs_a_block(load):
    calls = []
    seconds = load('bench_common').clock(lambda: calls.append(1), 7, 'cpu')
    assert len(calls) == 7 and seconds >= 0


@pytest.mark.parametrize('ratio, relation, holds', [
    (1.04, '<=', True), (1.06, '<=', False), (1.05, '<=', True),
    (1.04, '>=', False), (1.06, '>=', True), (float('nan'), '<=', False)])
def test_a_broken_promise_fails_a_check_alone(load, capsys, ratio, relation,
                                              holds):
    common = load('bench_common')
    promise = common.Promise('steps', ratio, 1.05, relation)
    assert promise.holds is holds
    facts = common.machine_facts('cpu')
    for check in (False, True):
        args = Namespace(device='cpu', check=check, out=None)
        code = common.report('name', args, facts, [], [promise])
        assert code == (1 if check and not holds else 0)
    assert ('BROKEN steps' in capsys.readouterr().out) is not holds


def test_pretext_transform(load, tmp_path, capsys):
    bench = load('pretext_transform')
    out = tmp_path / 'a' / 'numbers.json'
    code = bench.main(['--quick', '--sizes', '8', '32', '64',
                       '--out', str(out)])
    assert code == 0
    found = json.loads(out.read_text())
    assert found['benchmark'] == 'pretext_transform'
    assert {'hardware', 'versions', 'git_commit', 'load_average',
            'settings'} <= set(found)
    parts = [f'{name} {size}x{size}' for name in ('transform', 'crop and flip')
             for size in (8, 32, 64)]
    assert [(row['part'], row['variant']) for row in found['rows']] == [
        (part, variant) for part in parts for variant in ('batch', 'loop')]
    timed = [p for p in found['promises'] if p['relation'] == '>=']
    assert [(p['name'], p['limit']) for p in timed] == [
        ('transform 32x32: speed over that of the loop', 5.0),
        ('transform 64x64: speed over that of the loop', 1.5)]
    # No Python for each image: as many operations for 2 as for 8
    counted = [p for p in found['promises'] if p['relation'] == '<=']
    assert len(counted) == 6 and all(p['ratio'] == 1 for p in counted)
    assert '| transform 32x32 | batch |' in capsys.readouterr().out


def test_the_counter_sees_a_loop(load):
    bench = load('pretext_transform')
    few, many = (bench.count_operations(
        lambda n: bench.loop_transform(torch.rand(n, 3, 8, 8)), n)
        for n in (2, 8))
    assert many > 2 * few


def test_both_sides_have_to_agree(load, monkeypatch):
    bench = load('pretext_transform')
    args = Namespace(images=64, device='cpu')
    bench.transform_pair(8, args)
    bench.crop_pair(8, args)
    turned = bench.ORDERS[::-1]
    monkeypatch.setattr(bench, 'ORDERS', turned)
    with pytest.raises(ArithmeticError, match='transform: batch and loop'):
        bench.transform_pair(8, args)
    crop = bench.loop_crop_flip
    monkeypatch.setattr(bench, 'loop_crop_flip',
                        lambda *parts: crop(*parts).flip(3))
    with pytest.raises(ArithmeticError, match='crop and flip'):
        bench.crop_pair(8, args)


def test_the_default_sizes(load):
    args = load('pretext_transform').parse_args([])
    assert args.images == 128 and args.sizes == [32, 64]


def test_train_step(run_tool, tmp_path):
    done = run_tool('benchmarks/train_step.py', '--quick', '--out',
                    tmp_path / 'numbers.json', '--images-per-class', 100)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / 'numbers.json').read_text())
    variants = [(row['part'], row['variant']) for row in found['rows']]
    assert variants == [
        ('tasks, bfloat16', 'LDAM alone'),
        ('tasks, bfloat16', 'three tasks, gate'),
        ('loader, bfloat16', 'cached batch'),
        ('loader, bfloat16', 'loader, 0 workers'),
        ('precision', 'contiguous'),
        ('precision', 'channels_last, images alone'),
        ('precision', 'channels_last'),
        ('precision', 'channels_last, bf16')]
    assert all(row['ms'] > 0 for row in found['rows'])
    assert [p['limit'] for p in found['promises']] == [1.05, 1.05]
    for row in found['rows']:
        assert f'| {row["part"]} | {row["variant"]} |' in done.stdout


def test_gpu_session_says_what_it_would_do(run_tool, tmp_path, repo):
    session = 'benchmarks/gpu_session.sh'
    assert run_tool(session).returncode == 2
    env = dict(OUT_DIR=str(tmp_path / 'out'), DRY_RUN='1',
               DATA_ROOT=str(tmp_path), RESULT_LABEL='two words')
    done = run_tool(session, **env)
    assert done.returncode == 0, done.stderr
    for script in ('gpu_checks', 'pretext_transform', 'rand_augment',
                   'train_step', 'feature_mask_cost', 'timeboxed_runs'):
        assert f'{script}.py' in done.stdout
        assert (repo / f'tools/benchmarks/{script}.py').is_file()
    assert 'rand_augment.py --device cuda --check --out' in done.stdout
    assert f' train_dataloader.dataset.dataset.data_root={tmp_path}' in (
        done.stdout)
    other = run_tool(session, **env, TRAIN_DATA='train_dataloader.dataset')
    assert f' train_dataloader.dataset.data_root={tmp_path}' in other.stdout
    assert 'pgd.py' not in done.stdout
    assert 'pgd.py' in run_tool(session, **env, PARTS='pgd').stdout
    assert f'val_dataloader.dataset.data_root={tmp_path}' in done.stdout
    assert 'train_cfg.max_epochs=200' in done.stdout
    for config in ('resnet32', 'resnet32-lorot', 'resnet32-ldamdrw'):
        assert f'configs/gssl/{config}_cifar10lt.py:0' in done.stdout
        assert (repo / f'configs/gssl/{config}_cifar10lt.py').is_file()
    done = run_tool(session, **env, BUDGET_S='20')
    assert done.returncode == 1 and 'no time left' in done.stdout
    done = run_tool(session, **{**env, 'DATA_ROOT': 'none', 'PARTS': 'train'})
    assert done.returncode == 1 and 'no training' in done.stdout


@pytest.mark.slow
def test_gpu_session_on_the_cpu(run_tool, tmp_path):
    out = tmp_path / 'out'
    done = run_tool('benchmarks/gpu_session.sh', SMOKE='1', JOBS='1',
                    POLL_S='1', OUT_DIR=str(out), PYTHONPATH=os.environ.get(
                        'PYTHONPATH', ''), WORK_DIRS=str(tmp_path / 'runs'))
    assert done.returncode == 0, done.stdout + done.stderr
    checks = json.loads((out / 'gpu_checks.json').read_text())['checks']
    assert len(checks) == 27 and all(check['passed'] for check in checks)
    with tarfile.open(out / 'results.tar.gz') as packed:
        names = packed.getnames()
    for stem in ('demo_ldamdrw_synthetic', 'demo_gssl_synthetic'):
        assert f'./results/{stem}-bf16-1e/seed0.json' in names
    assert (out / 'feature_mask_cost.json').is_file()
    assert len(list(out.iterdir())) <= 9
