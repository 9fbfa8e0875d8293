"""The study of gates: configs, summary, table; the whole of it with -m slow."""
import json
import math

import pytest
from mmengine.config import Config

from gssl_mm.tooling.errors import OptionError
from gssl_mm.tooling.gate_summary import (
    collapse_step,
    gate_shares,
    keep_curves,
    keep_former,
    keep_times,
    mean_curves,
    read_variant,
    summarise_study,
)
from gssl_mm.tooling.gate_tables import gate_study_tables, study_table

SEEDS = [0, 1, 2, 3, 4]
# t quantile of 97.5%, 4 degrees of freedom
T4 = 2.7764451


def test_the_leaves_are_what_the_study_runs(load, repo, tmp_path):
    gates = load('bench_gates')
    experiment = repo / 'configs' / 'gssl' / 'resnet32_cifar10lt.py'
    for gate in gates.GATES:
        made = Config.fromfile(gates.write_config(experiment, gate, tmp_path))
        assert made.model.head.pop('log_agreement') is True
        assert 'gate_curves' in made.default_hooks
        leaf = Config.fromfile(experiment.with_name(
            f'{gates.stem_of(experiment, gate)}.py'))
        assert made.model.to_dict() == leaf.model.to_dict(), gate


def test_an_experiment_without_a_gate_is_refused(load, repo, tmp_path):
    gates = load('bench_gates')
    configs = repo / 'configs' / 'gssl'
    with pytest.raises(OptionError, match='SoftmaxGate'):
        gates.write_config(configs / 'resnet32-ldamdrw_cifar10lt.py',
                           'alignedgate', tmp_path)
    ungated = tmp_path / 'resnet32_x.py'
    ungated.write_text(
        f"_base_ = '{configs / 'resnet32_cifar10lt.py'}'\n"
        "tasks = [dict(type='gssl_mm.LocalFlip')]\n"
        'model = dict(head=dict(tasks=tasks))\n')
    with pytest.raises(OptionError, match='LocalRotation'):
        gates.write_config(ungated, 'learnedgate-nolorot', tmp_path)


def result(seed, top1, few=1., epochs=2, **train):
    both = dict(best=top1 + 1, median_last20=top1)
    return dict(
        config='c', seed=seed, max_epochs=epochs, total_batch_size=8, amp=False,
        label='toy', git_commit='0123456789', dataset=dict(type='Toy'),
        hardware=dict(cpu='none', threads=1, gpu=None), train_last=train,
        metrics={'accuracy/top1': dict(last=top1, **both),
                 'shot/few': dict(last=few, **both)})


def curve(flip):
    return dict(iterations=len(flip), epochs=dict(gate_flip=[flip[-1]]),
                first_epoch=dict(gate_flip=flip,
                                 gate_perm=[1 - v for v in flip]))


def lay_out(folder, scores):
    for stem, values in scores.items():
        for seed, top1 in enumerate(values):
            path = folder / 'results' / stem / f'seed{seed}.json'
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(result(
                seed, top1, gate_flip=.5 + .01 * seed, acc_flip=70.)))
            path = (folder / 'work_dirs' / stem / f'seed{seed}'
                    / 'gate_curves.json')
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(curve([.5, .8 + .05 * seed, .95])))


SCORES = dict(base=[50., 51., 52., 53., 54.], up=[52., 53.5, 54., 55., 56.],
              down=[49., 50., 50., 52., 52.], same=[49., 52., 51., 54., 54.],
              few=[90., 91., 92.])


@pytest.fixture
def study(tmp_path):
    lay_out(tmp_path, SCORES)
    variants = [read_variant(name, name, SEEDS, tmp_path / 'results',
                             tmp_path / 'work_dirs') for name in SCORES]
    return dict(experiment='toy', against=['base'],
                **summarise_study(variants, ['base']))


def test_differences_are_paired_with_t_intervals(study):
    rows = {row['variant']: row for row in study['rows']}
    apart = [a - b for a, b in zip(SCORES['up'], SCORES['base'], strict=True)]
    mean = sum(apart) / 5
    sd = math.sqrt(sum((d - mean)**2 for d in apart) / 4)
    found = rows['up']['differences']['base']['top1']
    assert found['n'] == 5 and found['mean'] == pytest.approx(mean)
    half = T4 * sd / math.sqrt(5)
    assert found['low'] == pytest.approx(mean - half, abs=1e-5)
    assert found['high'] == pytest.approx(mean + half, abs=1e-5)
    assert 'base' not in rows['base']['differences']
    assert rows['few']['differences']['base']['top1']['n'] == 3
    assert rows['up']['metrics']['top1']['mean'] == pytest.approx(54.1)
    assert rows['up']['metrics']['many'] == dict(values={})
    assert rows['up']['gate']['flip']['mean'] == pytest.approx(.52)


def test_the_table_says_what_was_found_and_what_was_not(study):
    text = study_table(study)
    assert ('Better: `up`; worse: `down`; undecided: `same`, `few`' in text)
    assert '| `up` | 5 | 54.10 ±' in text
    assert '+2.10 [' in text
    assert '2 epochs, batch 8; none, 1 thread(s); commit 01234567' in text


def test_the_table_says_how_much_weight_a_gate_gives(study):
    rows = {row['variant']: row for row in study['rows']}
    rows['up']['gate']['perm'] = dict(mean=6.97, sd=.1, n=5)
    rows['same']['gate'] = {}
    text = study_table(study)
    assert 'flip 0.520 ± 0.016, perm 6.970 ± 0.100 | 7.49 |' in text
    assert 'flip 0.520 ± 0.016 | 0.52 |' in text
    (same, ) = (line for line in text.splitlines() if '| `same` |' in line)
    assert '| – | – |' in same


def test_step_times_are_kept_where_they_still_apply(study):
    study['options'] = ['--amp']

    def summary(*names, options=('--amp', ), **more):
        return dict(options=list(options), rows=[
            dict(variant=name) for name in names], **more)

    former = summary('base', 'up', timing=dict(device='cpu'))
    for row, ratio in zip(former['rows'], (1., 1.25), strict=True):
        row['step_time_ratio'] = ratio
    keep_times(study, former)
    assert study['timing'] == dict(device='cpu')
    assert [row.get('step_time_ratio') for row in study['rows']] == [
        1., 1.25, None, None, None]
    for other in (summary('base', 'up'), dict(former, options=[]),
                  dict(former, rows=former['rows'][::-1])):
        content = summary('base', 'up')
        keep_times(content, other)
        assert content == summary('base', 'up')


def test_curves_are_kept_when_their_work_dirs_are_gone(tmp_path):
    def summary(*seeds, work_dirs=tmp_path / 'work_dirs'):
        variants = [read_variant(name, name, seeds, tmp_path / 'results',
                                 work_dirs) for name in ('base', 'up')]
        return summarise_study(variants, ['base'])

    lay_out(tmp_path, dict(SCORES))
    former, gone = summary(*SEEDS), summary(*SEEDS, work_dirs=tmp_path)
    assert former['rows'][1]['curve_seeds'] == SEEDS
    assert gone['rows'][1]['epochs'] == gone['rows'][1]['collapsed_at'] == {}
    keep_curves(gone, json.loads(json.dumps(former)))
    assert json.dumps(gone) == json.dumps(former)
    # New ones of more seeds win, those of other runs are left behind
    few, new = summary(0, 1), summary(*SEEDS)
    keep_curves(new, few)
    assert new == summary(*SEEDS)
    for change in (dict(setting=dict(former['setting'], max_epochs=3)),
                   dict(rows=[dict(row, configs=['of another config'])
                              for row in former['rows']])):
        gone = summary(*SEEDS, work_dirs=tmp_path)
        keep_curves(gone, {**former, **change})
        assert gone == summary(*SEEDS, work_dirs=tmp_path)
    fewer = summary(1, work_dirs=tmp_path)
    keep_curves(fewer, former)
    assert fewer == summary(1, work_dirs=tmp_path)


@pytest.mark.parametrize('text', [
    '', '[]', '{"benchmark": "pgd", "rows": []}', '{"setting": null}'])
def test_another_file_is_not_overwritten(study, tmp_path, text):
    path = tmp_path / 'other.json'
    keep_former(study, path)
    path.write_text(text)
    with pytest.raises(OptionError, match='no study of gates.*--out'):
        keep_former(study, path)
    assert path.read_text() == text


def test_the_timed_steps_have_the_options_of_the_runs(load, repo, tmp_path):
    gates = load('bench_gates')
    study = load('gate_study')
    experiment = repo / 'configs' / 'gssl' / 'demo_gssl_synthetic.py'
    path = gates.write_config(experiment, 'uniformgate', tmp_path)
    args = study.parse_args(['--quick', '--', '--amp'])
    trainer, batch = gates.build_trainer(path, args)
    assert len(batch['inputs']) == args.batch_size == 8
    assert trainer.model.head.primary.fc.in_features == 16
    assert 'Amp' in type(trainer.wrapper).__name__


def test_curves_are_averaged_and_a_collapse_is_found(study):
    row = study['rows'][0]
    assert row['collapsed_at'] == {0: 3, 1: 3, 2: 2, 3: 2, 4: 2}
    assert row['first_epoch']['gate_flip'] == pytest.approx([.5, .9, .95])
    assert 'at iteration 2 to 3' in study_table(study)
    assert collapse_step(gate_shares(curve([.5, .89]))) is None
    # Weights that do not sum to one collapse onto nothing
    heavy = dict(first_epoch=dict(gate_flip=[1., 1.], gate_perm=[1., 1.]))
    assert gate_shares(heavy) is None
    assert gate_shares(dict(first_epoch=dict(gate_flip=[1.]))) is None
    assert mean_curves([dict(epochs=dict(a=[1., None])),
                        dict(epochs=dict(a=[3., 2., 5.]))], 'epochs') == dict(
        a=[2., None])


def test_runs_that_differ_in_more_than_the_gate_are_refused(tmp_path):
    lay_out(tmp_path, dict(a=[1.], b=[2.]))
    path = tmp_path / 'results' / 'b' / 'seed0.json'
    path.write_text(json.dumps(result(0, 2., epochs=3)))
    variants = [read_variant(n, n, [0], tmp_path / 'results', tmp_path)
                for n in 'ab']
    with pytest.raises(OptionError, match='b, seed 0'):
        summarise_study(variants, ['a'])
    with pytest.raises(OptionError, match='--against c'):
        summarise_study(variants[:1], ['c'])


def test_nothing_was_run_yet(tmp_path):
    assert gate_study_tables(tmp_path / 'none') == 'Not run yet.'
    variants = [read_variant('a', 'a', [0], tmp_path, tmp_path)]
    content = dict(experiment='toy', against=['a'],
                   **summarise_study(variants, ['a']))
    (tmp_path / 'toy.json').write_text(json.dumps(content))
    assert 'Not run yet.' in gate_study_tables(tmp_path)


def test_finished_runs_are_skipped_and_timed(load, run_tool, tmp_path):
    lay_out(tmp_path, {f'demo-{gate}_gssl_synthetic': [1., 2.]
                       for gate in ('uniformgate', 'alignedgate')})
    done = run_tool('benchmarks/gate_study.py', '--quick', TAG='')
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('skipped') == 4
    path = (tmp_path / 'results' / 'gate_study' / 'demo_gssl_synthetic.json')
    content = json.loads(path.read_text())
    ratios = [row['step_time_ratio'] for row in content['rows']]
    assert ratios[0] == 1 and ratios[1] > 0
    assert content['timing']['device'] == 'cpu'
    done = run_tool('benchmarks/gate_study.py', '--quick', '--summary-only',
                    '--no-timing', TAG='')
    assert done.returncode == 0, done.stderr
    assert json.loads(path.read_text()) == content


def test_unlike_runs_are_refused_before_training(run_tool, tmp_path):
    lay_out(tmp_path, {f'demo-{gate}_gssl_synthetic': [1., 2.]
                       for gate in ('uniformgate', 'alignedgate')})
    path = (tmp_path / 'results' / 'demo-alignedgate_gssl_synthetic'
            / 'seed1.json')
    path.write_text(json.dumps(result(1, 2., epochs=3)))
    done = run_tool('benchmarks/gate_study.py', '--quick', TAG='')
    assert done.returncode == 2 and 'skipped' not in done.stdout
    assert 'differ in data, length' in done.stderr


def test_seeds_of_different_configs_are_refused(run_tool, tmp_path):
    lay_out(tmp_path, {f'demo-{gate}_gssl_synthetic': [1., 2.]
                       for gate in ('uniformgate', 'alignedgate')})
    path = (tmp_path / 'results' / 'demo-alignedgate_gssl_synthetic'
            / 'seed1.json')
    path.write_text(json.dumps(dict(result(1, 2.), config_text_sha='other')))
    done = run_tool('benchmarks/gate_study.py', '--quick', TAG='')
    assert done.returncode == 2 and 'skipped' not in done.stdout
    assert '2 different configs' in done.stderr


def test_runs_of_other_options_are_refused_before_training(
        load, repo, run_tool, tmp_path):
    names = [f'demo-{gate}_gssl_synthetic'
             for gate in ('uniformgate', 'alignedgate')]
    lay_out(tmp_path, {name: [1., 2.] for name in names})
    gates, study = load('bench_gates'), load('gate_study')
    experiment = repo / 'configs' / 'gssl' / 'demo_gssl_synthetic.py'
    options = study.parse_args(['--quick']).options
    for name, gate in zip(names, ('uniformgate', 'alignedgate'), strict=True):
        known = gates.trained_as(
            gates.write_config(experiment, gate, tmp_path), options)
        for seed in (0, 1):
            path = tmp_path / 'results' / name / f'seed{seed}.json'
            path.write_text(json.dumps(dict(
                json.loads(path.read_text()), config_text_sha=known)))
    words = ('benchmarks/gate_study.py', '--quick', '--no-timing')
    done = run_tool(*words, TAG='')
    assert done.returncode == 0 and done.stdout.count('skipped') == 4
    other = ('--', '--cfg-options', 'optim_wrapper.optimizer.lr=9')
    done = run_tool(*words, *other, TAG='')
    assert done.returncode == 2 and 'skipped' not in done.stdout
    assert f'{names[0]} were trained with other options' in done.stderr
    done = run_tool(*words, '--summary-only', *other, TAG='')
    assert done.returncode == 0, done.stderr


def test_logging_agreements_is_no_other_recipe(load, repo, tmp_path):
    gates = load('bench_gates')
    experiment = repo / 'configs' / 'gssl' / 'resnet8-lambda2_cifar10lt-15e.py'
    logged, silent = (
        gates.trained_as(gates.write_config(
            experiment, 'experiment', tmp_path / str(log), log), [])
        for log in (True, False))
    assert logged == silent == gates.trained_as(experiment, [])


@pytest.mark.slow
def test_two_gates_and_two_seeds(run_tool, tmp_path):
    done = run_tool('benchmarks/gate_study.py', '--quick', '--no-timing')
    assert done.returncode == 0, done.stdout + done.stderr
    path = (tmp_path / 'results' / 'gate_study' / 'demo_gssl_synthetic.json')
    content = json.loads(path.read_text())
    assert [row['seeds'] for row in content['rows']] == [[0, 1], [0, 1]]
    aligned = content['rows'][1]
    found = aligned['differences']['uniformgate']['top1']
    assert found['n'] == 2 and found['low'] <= found['mean'] <= found['high']
    for key in ('gate_lorot', 'agree_flip', 'acc_perm'):
        assert len(aligned['epochs'][key]) == 2
        assert len(aligned['first_epoch'][key]) > 2
    assert 'demo-alignedgate_gssl_synthetic' in done.stdout
