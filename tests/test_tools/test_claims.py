"""Claims, verdicts, comparisons: on results that are written by hand."""
import json
import math
from pathlib import Path

import pytest

from gssl_mm.tooling.claim_records import (
    Cell,
    Claim,
    ClaimFileError,
    Evidence,
    counts,
    plain,
    read_claims,
)
from gssl_mm.tooling.claim_tables import claims_table
from gssl_mm.tooling.claims import judge
from gssl_mm.tooling.paired_stats import PairedDifference, paired_difference
from gssl_mm.tooling.result_files import ResultFileError, read_groups
from gssl_mm.tooling.result_pairs import (
    UNDECIDED,
    known_stems,
    pair_groups,
    verdict,
)
from gssl_mm.tooling.result_tables import read_paper_rows, render

KEY = 'accuracy/top1'


def write_runs(root, stem, values, key=KEY, **changes):
    for seed, value in enumerate(values):
        run = dict(
            config=stem, config_text_sha=stem, seed=seed, label='data',
            dataset=dict(type='D'),
            hardware=dict(cpu='CPU'), max_epochs=200, total_batch_size=128,
            amp=False, compile=False, train_last=dict(gate_lorot=value / 100),
            metrics={key: dict(last=value, best=value + 1)})
        run.update(changes)
        path = root / 'results' / stem / f'seed{seed}.json'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(run))


@pytest.fixture
def papers(repo):
    return read_paper_rows(repo / 'tools/analysis/paper_rows.json')


@pytest.fixture
def entries(repo):
    return read_claims(repo / 'tools/analysis/claims.json')


def found(low, high, n=5):
    return PairedDifference(n, (low + high) / 2, 1., low, high)


@pytest.mark.parametrize(('interval', 'up', 'down', 'near'), [
    ((.1, .4), 'supported', 'not supported', 'supported'),
    ((-.4, -.1), 'not supported', 'supported', 'supported'),
    ((-.1, .4), 'undecided at this scale', 'undecided at this scale',
     'supported'),
    ((-.1, .6), 'undecided at this scale', 'undecided at this scale',
     'undecided at this scale'),
    ((.6, .9), 'supported', 'not supported', 'not supported'),
    ((-.9, -.6), 'not supported', 'supported', 'not supported'),
    ((0., .4), 'undecided at this scale', 'undecided at this scale',
     'supported')])
def test_the_rule(interval, up, down, near):
    difference = found(*interval)
    assert verdict(difference, 'up') == up
    assert verdict(difference, 'down') == down
    assert verdict(difference, 'near', .5) == near


def test_few_seeds_decide_nothing_and_none_is_not_run():
    for direction, margin in (('up', 0), ('down', 0), ('near', 9.)):
        assert verdict(found(5, 6, 4), direction, margin) == (
            'undecided at this scale')
        assert verdict(paired_difference([9.], [1.]), direction, margin) == (
            'undecided at this scale')
        assert verdict(None, direction, margin) == 'not run'
    for wrong in (('sideways', 0), ('near', 0)):
        with pytest.raises(ValueError, match='direction'):
            verdict(None, *wrong)


@pytest.mark.parametrize('changes', [
    dict(label='JPEG'), dict(max_epochs=40), dict(amp=True),
    dict(total_batch_size=64), dict(dataset=dict(type='E')),
    dict(world_size=2), dict(cfg_options=['param_scheduler.0.gamma=0.2'])])
def test_only_equal_settings_are_paired(tmp_path, changes):
    write_runs(tmp_path, 'a', [3., 5.])
    write_runs(tmp_path, 'b', [1., 2., 9.], **changes)
    groups = read_groups(tmp_path / 'results')
    assert pair_groups(groups, ('a', KEY), ('b', KEY), []) == []
    write_runs(tmp_path, 'b', [1., 2., 9.])
    pair, = pair_groups(read_groups(tmp_path / 'results'), ('a', KEY),
                        ('b', KEY), [])
    assert (pair.difference.n, pair.difference.mean) == (2, 2.5)


def test_configs_may_differ_and_options_of_the_model_not(tmp_path):
    small = ['model.backbone.depth=8']
    write_runs(tmp_path, 'a', [3.], config_text_sha='1', cfg_options=[
        *small, 'train_cfg.val_interval=5'])
    write_runs(tmp_path, 'b', [1.], config_text_sha='2', cfg_options=small)
    write_runs(tmp_path, 'c', [1.], config_text_sha='3', cfg_options=[])
    groups = read_groups(tmp_path / 'results')
    pair, = pair_groups(groups, ('a', KEY), ('b', KEY), [])
    assert pair.difference.mean == 2.
    assert pair_groups(groups, ('a', KEY), ('c', KEY), []) == []
    # A table of ResNet-32 says what is none
    row, = (line for line in render('all', groups, {}).splitlines()
            if '| `a` |' in line)
    assert 'batch 128, `model.backbone.depth=8`' in row


def test_iterations_are_a_schedule_too(tmp_path):
    write_runs(tmp_path, 'a', [3.], max_epochs=1, max_iters=500)
    write_runs(tmp_path, 'b', [1.], max_epochs=1, max_iters=900)
    groups = read_groups(tmp_path / 'results')
    assert pair_groups(groups, ('a', KEY), ('b', KEY), []) == []
    assert '500 iterations, batch 128' in render('all', groups, {})


def test_a_tagged_run_is_paired_with_the_same_tag(tmp_path):
    for stem, value in (('a', 3.), ('b', 1.), ('a-bf16', 30.),
                        ('b-fast', 10.), ('a-x-40e', 300.), ('b-40e', 5.),
                        ('a-40e', 7.)):
        write_runs(tmp_path, stem, [value])
    pairs = pair_groups(read_groups(tmp_path / 'results'), ('a', KEY),
                        ('b', KEY), ['a-x'])
    assert {(p.ours.stem, p.base.stem, p.difference.mean) for p in pairs} == {
        ('a', 'b', 2.), ('a-40e', 'b-40e', 2.)}


def test_metrics_of_one_recipe_are_paired_within_its_runs(tmp_path):
    for text, value in (('first', 30.), ('second', 60.)):
        write_runs(tmp_path / text, 'a', [value, value + 1],
                   config_text_sha=text)
    groups = read_groups(tmp_path / 'first/results',
                         tmp_path / 'second/results')
    assert len(groups) == 2
    pairs = pair_groups(groups, ('a', KEY), ('a', 'train/gate_lorot'), [])
    assert len(pairs) == 2
    assert all(pair.ours is pair.base for pair in pairs)


def test_versions_of_a_config_are_not_both_paired(tmp_path):
    write_runs(tmp_path, 'a', [3., 4.], config_text_sha='1')
    write_runs(tmp_path / 'edited', 'a', [9., 9.], config_text_sha='2')
    write_runs(tmp_path, 'b', [1., 1.])
    groups = read_groups(tmp_path / 'results', tmp_path / 'edited/results')
    for pair in (('a', KEY), ('b', KEY)), (('b', KEY), ('a', KEY)):
        with pytest.raises(ResultFileError, match='a are of 2 versions'):
            pair_groups(groups, *pair, [])


def test_runs_of_another_network_than_the_cell_are_named(
        tmp_path, papers, entries):
    for name in ('pgd10-gssl', 'pgd10'):
        write_runs(tmp_path, f'wrn10-1-{name}_cifar10-15e-4e', [40.],
                   robust=dict(metrics={'pgd20/top1': 30.}))
    claims = judge(entries, papers, read_groups(tmp_path / 'results'), tmp_path)
    line = next(line for line in claims_table(claims).split('\n')
                if line.startswith('| G-SSL raises the robust accuracy'))
    assert '(`wrn10-1-pgd10-gssl_cifar10-15e-4e`)' in line


def test_metrics_of_a_test_and_of_the_training(tmp_path):
    write_runs(tmp_path, 'a', [30.],
               robust=dict(metrics={'pgd20/top1': 41., 'x': None}))
    group, = read_groups(tmp_path / 'results')
    assert group.by_seed('robust/pgd20/top1', 'last') == {0: 41.}
    assert group.metric('robust/pgd20/top1', 'best') is None
    assert group.by_seed('robust/x', 'last') == {}
    assert group.by_seed('train/gate_lorot', 'last') == {0: .3}
    assert group.by_seed('features/knn', 'last') == {}


def test_a_claim_of_table_1(tmp_path, papers, entries):
    ours = [81.2, 81.4, 81.1, 81.5, 81.3]
    base = [80.1, 80.6, 80.2, 80.2, 80.3]
    write_runs(tmp_path, 'resnet32-lorot_cifar10lt', ours)
    write_runs(tmp_path, 'resnet32-ldamdrw_cifar10lt', base)
    write_runs(tmp_path, 'resnet32_cifar10lt', ours, max_epochs=300)
    groups = read_groups(tmp_path / 'results')
    claims = judge(entries, papers, groups, tmp_path)
    assert counts(claims)['supported'] == 1
    assert set(counts(claims)) == {'supported', 'not run'}
    difference = paired_difference(ours, base)
    short, full = (claims_table(claims, f) for f in (False, True))
    start = '| LoRot-E is above LDAM-DRW (G-SSL, Table 1)'
    lines = [ln for ln in short.split('\n') if ln.startswith(start)]
    assert lines == [
        f'{start}: CIFAR-10-LT 0.01 | +4.79 | {difference.text()} | 5 | '
        'data; 200 epochs, batch 128 | supported |',
        f'{start}: the other cells | +1.21 to +4.44 (5 cells) | – | – | – | '
        'not run |']
    assert len([ln for ln in full.split('\n') if ln.startswith(start)]) == 6
    # Trained for longer than what they are compared with
    rows = [ln for ln in short.split('\n') if ln.startswith(
        '| G-SSL with all three tasks is above L')]
    assert len(rows) == 2 and all(row.endswith(
        '| – | – | 1: both were run, not alike | not run |') for row in rows)
    assert '`resnet32-lorot_cifar10lt` less `resnet32-ldamdrw_' in full
    # The paper's table shows the same comparison beside its numbers
    table = render('gssl-table1', groups, papers)
    row, = (ln for ln in table.split('\n') if ln.startswith(
        '| LDAM-DRW + LoRot-E | CIFAR-10-LT | 0.01 '))
    assert row.endswith(
        f'| {difference.text()} (to LDAM-DRW, n = 5) | supported |')
    absent, = (ln for ln in table.split('\n') if ln.startswith(
        '| LDAM-DRW + LoRot-E | CIFAR-10-LT | 0.02 '))
    assert absent.endswith('| – | not tested here |')
    longer, = (ln for ln in table.split('\n') if ln.startswith(
        '| LDAM-DRW + G-SSL (all) | CIFAR-10-LT | 0.01 '))
    assert longer.endswith('| – | both were run, not alike |')


def test_cells_that_were_run_alike_share_a_line(tmp_path, papers, entries):
    for tag, ours in (('', 81.), ('-nowarmup', 79.5)):
        write_runs(tmp_path, f'resnet32-lorot_cifar10lt{tag}', [ours])
        write_runs(tmp_path, f'resnet32-ldamdrw_cifar10lt{tag}', [80.])
    for name, last in (('-lorot', 82.), ('-ldamdrw', 80.)):
        write_runs(tmp_path, f'resnet32{name}_cifar100lt', [last])

    def lines(full):
        claims = judge(
            entries, papers, read_groups(tmp_path / 'results'), tmp_path)
        start = '| LoRot-E is above LDAM-DRW (G-SSL, Table 1)'
        return [ln.replace(start, '') for ln in claims_table(
            claims, full).split('\n') if ln.startswith(start)]

    end = '| 1 | data; 200 epochs, batch 128 | undecided at this scale |'
    variant = end.replace('128', '128 (`nowarmup`)')
    assert lines(False) == [
        f' | +4.44 to +4.79 (2 cells) | +1.00 to +2.00 (2 cells) {end}',
        f': CIFAR-10-LT 0.01 | +4.79 | -0.50 {variant}',
        ': the other cells | +1.21 to +3.9 (4 cells) | – | – | – | not run |']
    assert len(lines(True)) == 7
    assert sum('-nowarmup`' in line for line in lines(True)) == 1
    write_runs(tmp_path, 'resnet32-lorot_cifar10lt', [81.], max_epochs=40)
    write_runs(tmp_path, 'resnet32-ldamdrw_cifar10lt', [80.], max_epochs=40)
    assert lines(False)[0].startswith(
        ': CIFAR-10-LT 0.01 | +4.79 | +1.00 | 1 | data; 40 epochs')
    assert lines(False)[2] == f': CIFAR-100-LT 0.01 | +4.44 | +2.00 {end}'


def test_what_has_an_interval_has_its_own_line(tmp_path, papers, entries):
    for data in ('10', '100'):
        write_runs(tmp_path, f'resnet32-lorot_cifar{data}lt', [81., 83.])
        write_runs(tmp_path, f'resnet32-ldamdrw_cifar{data}lt', [80., 81.])
    claims = judge(entries, papers, read_groups(tmp_path / 'results'), tmp_path)
    start = '| LoRot-E is above LDAM-DRW (G-SSL, Table 1): CIFAR-10'
    lines = [line for line in claims_table(claims).split('\n')
             if line.startswith(start)]
    assert len(lines) == 2
    assert all('+1.50 [-4.85, +7.85]' in line for line in lines)


def test_cells_without_a_number_of_the_papers_have_their_own_line():
    difference = paired_difference([2.], [1.])
    claim = Claim(dict(claim='a', paper='b', source='c', direction='up'), [
        Cell(where, paper, evidence=[Evidence(
            difference, 'runs', '', 'data', 'schedule', UNDECIDED)])
        for where, paper in (('x', 3.), ('y', None), ('z', 4.))])
    first, second = claims_table([claim]).split('\n')[-2:]
    assert first.startswith(
        '| a (b, c) | +3 to +4 (2 cells) | +1.00 to +1.00 (2 cells) | 1 |')
    assert second.startswith('| a (b, c): y | – | +1.00 | 1 |')


def test_what_the_paper_itself_denies_is_said(papers, entries):
    claims = {c.entry['claim']: c
              for c in judge(entries, papers, [], Path('nowhere'))}
    flip = claims['G-SSL with LoRot and flip is above LoRot-E']
    assert len(flip.denied) == len(flip.cells) == 6
    perm = claims['G-SSL with LoRot and permutation is above LoRot-E']
    assert [c.where for c in perm.denied] == ['CIFAR-10-LT 0.02',
                                              'CIFAR-100-LT 0.02']
    assert not claims['G-SSL lowers FixMatch'].denied
    assert 'the paper itself says no in 6' in claims_table([flip])


def test_a_ratio_of_step_times(tmp_path, papers):
    # Each took turns with the baseline, in rounds of its own
    base = {'ours': [1., 1.1, .9, 1., 1.], 'plain': [7., 7., 6.9, 7.1, 7.]}
    ratios = {'ours': [2.10, 2.08, 2.14, 2.06, 2.12], 'plain': [2.] * 5}
    rows = [dict(variant=k, base_ms=base[k], time_ratio=2., all_ms=[
        r * b for r, b in zip(ratios[k], base[k], strict=True)])
        for k in ratios]
    (tmp_path / 'speed.json').write_text(json.dumps(dict(
        device='cpu', hardware=dict(cpu='CPU', threads=2, gpu=None),
        settings=dict(rounds=5), rows=rows)))
    spec = dict(where='here', file='speed', ours='ours', base='plain')
    entry = dict(paper='P', source='Table 5', claim='Dearer', direction='up',
                 benchmarks=[dict(spec, paper=1.1)])
    cheap = dict(entry, claim='At most 10 %', direction='down',
                 benchmarks=[dict(spec, limit=1.1)])
    absent = dict(entry, benchmarks=[dict(spec, file='gone')])
    claims = judge([entry, cheap, absent], papers, [], tmp_path)
    assert counts(claims) == {'supported': 2, 'not run': 1}
    mean = math.exp(sum(math.log(r / 2) for r in ratios['ours']) / 5)
    text = claims_table(claims)
    assert f'| 1.10 times | {mean:.3f} times [' in text
    assert f'{mean / 1.1:.3f} times [' in text
    assert '| 5 rounds | CPU, 2 thread(s); in turns with the baseline |' in text
    # An older file has no turns: a quotient without an interval
    old = json.loads((tmp_path / 'speed.json').read_text())
    for row, ratio in zip(old['rows'], (3., 2.), strict=True):
        del row['base_ms']
        row['time_ratio'] = ratio
    (tmp_path / 'speed.json').write_text(json.dumps(old))
    claims = judge([entry], papers, [], tmp_path)
    assert counts(claims) == {'undecided at this scale': 1}
    assert '| 1.500 times | 5 rounds |' in claims_table(claims)


def test_rows_whose_recipes_differ_are_no_evidence(tmp_path, papers, entries):
    for stem in ('resnet18_tinyimagenet', 'resnet18-cutmix_tinyimagenet'):
        write_runs(tmp_path, stem, [60.] * 5)
    groups = read_groups(tmp_path / 'results')
    assert set(counts(judge(entries, papers, groups, tmp_path))) == {'not run'}
    table = render('gssl-table3', groups, papers)
    row, = (ln for ln in table.split('\n') if ln.startswith('| CutMix | '))
    assert row.endswith('| – | – |')
    write_runs(tmp_path, 'resnet18-cutmix_tinyimagenet-crop4', [59.] * 5)
    groups = read_groups(tmp_path / 'results')
    assert counts(judge(entries, papers, groups, tmp_path))['supported'] == 1


def test_every_claim_finds_its_rows_and_configs(repo, papers, entries, load):
    claims = judge(entries, papers, [], repo / 'results' / 'benchmarks')
    assert len({c.entry['claim'] for c in claims}) == len(claims) > 35
    assert all(claim.cells for claim in claims)
    for claim in claims:
        places = [cell.where for cell in claim.cells]
        assert len(set(places)) == len(places), claim.entry['claim']
    assert len(json.dumps(plain(claims))) > 10_000
    known = set(known_stems(papers))
    configs = {path.stem for path in (repo / 'configs').rglob('*.py')}
    assert known <= configs
    # What tools/benchmarks/gate_study.py makes of an experiment
    gates = load('bench_gates')
    experiment = repo / 'configs/gssl/resnet8-lambda2_cifar10lt-15e.py'
    configs |= {gates.stem_of(experiment, gate) for gate in gates.GATES}
    for claim in claims:
        for pair in claim.entry.get('pairs', []):
            assert {pair['ours'][0], pair['base'][0]} <= configs


@pytest.mark.parametrize(('change', 'message'), [
    (dict(direction='left'), 'direction'), (dict(claim=''), 'claim'),
    (dict(direction='near'), 'margin')])
def test_a_wrong_entry_is_refused(tmp_path, change, message):
    entry = dict(paper='P', source='S', claim='C', direction='up')
    path = tmp_path / 'claims.json'
    path.write_text(json.dumps([dict(entry, **change)]))
    with pytest.raises(ClaimFileError, match=message):
        read_claims(path)


@pytest.mark.parametrize('change', [
    dict(table='none'), dict(rows=[['PGD', 'nobody']]), dict(what=['x'])])
def test_rows_that_do_not_exist_are_refused(papers, tmp_path, change):
    entry = dict(paper='P', source='S', claim='C', direction='up',
                 table='gssl-table2', rows=[['PGD + LoRot-E', 'PGD']])
    with pytest.raises(ClaimFileError, match='no rows'):
        judge([dict(entry, **change)], papers, [], tmp_path)


def test_the_tools(tmp_path, run_tool):
    write_runs(tmp_path, 'resnet32-lorot_cifar10lt', [81., 83.])
    write_runs(tmp_path, 'resnet32-ldamdrw_cifar10lt', [80., 81.])
    write_runs(tmp_path, 'other', [1.], max_epochs=7)
    done = run_tool('analysis/claims.py', '--full', '--json', 'out.json')
    assert done.returncode == 0, done.stderr
    assert '1 undecided at this scale' in done.stdout
    saved = json.loads((tmp_path / 'out.json').read_text())
    assert saved[0]['cells'][0]['evidence'][0]['difference']['mean'] == 1.5
    assert run_tool('analysis/claims.py', '--results', 'no').returncode == 2
    tool = 'analysis/collect_results.py'
    done = run_tool(tool, '--baseline', 'resnet32-ldamdrw_cifar10lt')
    row = next(ln for ln in done.stdout.split('\n') if '-lorot_' in ln)
    half = 12.706204736 * math.sqrt(.5) / math.sqrt(2)
    apart = f'+1.50 [{1.5 - half:+.2f}, {1.5 + half:+.2f}]'
    assert row.startswith(f'| `resnet32-lorot_cifar10lt` | 82.00 ± 1.41 | '
                          f'{apart} | 83.00 ± 1.41 | {apart} | 2 | 2 (0, 1) ')
    assert '| `other` | 1.00 | – | 2.00 | – | – |' in done.stdout
    wrong = run_tool(tool, '--baseline', 'nobody')
    assert wrong.returncode == 2 and 'Allowed: other, ' in wrong.stderr


def test_work_dirs_are_compared_like_results(tmp_path, run_tool):
    for stem, value in (('a', 80.), ('b', 82.)):
        write_runs(tmp_path, stem, [value])
        work = tmp_path / 'work' / stem / 'seed0'
        (work / 'vis_data').mkdir(parents=True)
        (tmp_path / f'results/{stem}/seed0.json').rename(work / 'result.json')
        (work / 'vis_data' / 'scalars.json').write_text('{"loss": 1}\n{}\n')
    # A run that is not finished has logs alone
    (tmp_path / 'work/c/seed0/vis_data').mkdir(parents=True)
    log = tmp_path / 'work/c/seed0/vis_data/20260101_000000.json'
    log.write_text('{"loss": 1}\n{"loss": 2}\n')
    done = run_tool('analysis/collect_results.py', '--runs', 'work/a', 'work/c',
                    'work/b/seed0/result.json', '--baseline', 'a')
    assert done.returncode == 0, done.stderr
    assert '| `b` | 82.00 | +2.00 |' in done.stdout


def test_what_a_test_found_is_added(tmp_path, run_tool):
    write_runs(tmp_path, 'a', [80.])
    result = tmp_path / 'results' / 'a' / 'seed0.json'
    summary = tmp_path / 'summary.json'
    summary.write_text(json.dumps(dict(metrics=dict(knn=70.), k=5)))
    tool = 'analysis/add_to_result.py'
    assert run_tool(tool, result, 'features', summary).returncode == 0
    group, = read_groups(tmp_path / 'results')
    assert group.by_seed('features/knn', 'last') == {0: 70.}
    # What tools/visualization/tsne.py writes about several models
    summary.write_text(json.dumps(dict(
        models=dict(b=dict(knn=1.), a=dict(knn=2.)), seed=0)))
    words = (tool, result, 'features', summary, '--model')
    assert run_tool(*words, 'a').returncode == 0
    group, = read_groups(tmp_path / 'results')
    assert group.by_seed('features/knn', 'last') == {0: 2.}
    for refused in (run_tool(*words, 'c'), run_tool(*words[:-1])):
        assert refused.returncode == 2 and 'b, a' in refused.stderr
    summary.write_text('{"models": ["a"]}')
    assert run_tool(*words, 'a').returncode == 2
    # A second test of the run, into the same file
    out = tmp_path / 'out.json'
    for section in ('robust', 'features'):
        summary.write_text(json.dumps(dict(metrics={section: 1.})))
        write_runs(tmp_path, 'a', [80.])
        assert run_tool(tool, result, section, summary, '--out',
                        out).returncode == 0
    assert {'robust', 'features'} < set(json.loads(out.read_text()))
    write_runs(tmp_path, 'a', [81.])
    run_tool(tool, result, 'features', summary, '--out', out)
    assert 'robust' not in json.loads(out.read_text())
    for section, text in (('seed', '{"metrics": {}}'), ('robust', '{}'),
                          ('robust', '{')):
        summary.write_text(text)
        assert run_tool(tool, result, section, summary).returncode == 2
