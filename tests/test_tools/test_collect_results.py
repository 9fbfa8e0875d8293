import json
import math
import re
import statistics
import subprocess
from pathlib import Path

import pytest

from gssl_mm.tooling.result_files import ResultFileError, read_groups
from gssl_mm.tooling.result_records import summarise
from gssl_mm.tooling.result_tables import (
    match_rows,
    read_paper_rows,
    render,
    table_names,
)
from gssl_mm.tooling.speed_tables import (
    BENCHMARKS,
    NOT_MEASURED,
    speed_tables,
)


def write_run(root, stem, seed, best, last, **changes):
    scalar = dict(best=best, best_epoch=7, last=last, last_epoch=9,
                  median_last20=last - 1, history=[1, 2])
    run = dict(
        config=f'{stem}.py', seed=seed, label='CIFAR-10 | JPEG',
        dataset=dict(type='gssl_mm.CIFAR10', num_train=12406),
        hardware=dict(cpu='Some CPU', gpu=None, threads=2), max_epochs=200,
        total_batch_size=128, amp=False, compile=False, wall_time_s=3600.,
        metrics={'accuracy/top1': scalar, 'shot/many': dict(last=90.),
                 'shot/medium': dict(last=70.), 'shot/few': dict(last=None)},
        train_last=dict(gate_lorot=.25, gate_flip=.75, acc_lorot=60.,
                        loss=1.))
    run.update(changes)
    path = root / 'results' / stem / f'seed{seed}.json'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(run))
    return path


@pytest.fixture
def papers(repo):
    return read_paper_rows(repo / 'tools' / 'analysis' / 'paper_rows.json')


def cells(text, start):
    line = next(ln for ln in text.split('\n') if ln.startswith(f'| {start}'))
    return [c.strip() for c in line.strip('| ').split(' | ')]


def test_mean_deviation_and_paper_side_by_side(tmp_path, papers):
    bests, lasts = [80.1, 81.3, 82.9], [79.5, 80.25, 82.]
    for seed, pair in enumerate(zip(bests, lasts, strict=True)):
        write_run(tmp_path, 'resnet32_cifar10lt', seed, *pair)
    groups = read_groups(tmp_path / 'results')
    text = render('gssl-table1', groups, papers)
    row = cells(text, 'LDAM-DRW + G-SSL (all) | CIFAR-10-LT | 0.01')
    best = f'{sum(bests) / 3:.2f} ± {statistics.stdev(bests):.2f}'
    last = f'{sum(lasts) / 3:.2f} ± {statistics.stdev(lasts):.2f}'
    assert row[4:8] == ['81.67', '`resnet32_cifar10lt`', best, last]
    assert '3 (0, 1, 2)' in row and 'CIFAR-10 \\| JPEG' in row
    assert '200 epochs, batch 128, 2 evaluations' in row and '1.00 h' in row
    assert 'Some CPU, 2 thread(s)' in row and '90.0 / 70.0 / –' in row
    head = cells(text, 'method')
    assert head[4] == "paper's" and head[6:8] == ['best', 'last']
    # A row that nobody ran keeps the paper's number and dashes
    absent = cells(text, 'LDAM-DRW | CIFAR-10-LT | 0.01')
    assert absent[4] == '77.03' and set(absent[5:]) == {'–'}


def test_one_run_has_no_deviation(tmp_path, papers):
    write_run(tmp_path, 'resnet32-ldamdrw_cifar10lt', 4, 77., 76.)
    text = render('all', read_groups(tmp_path / 'results'), papers)
    row = cells(text, '`resnet32-ldamdrw_cifar10lt`')
    assert row[1:3] == ['77.00', '76.00'] and row[5] == '1 (4)'
    assert row[3] == '–' and row[7] == '200 epochs, batch 128, 2 evaluations'


@pytest.mark.parametrize(('number', 'shown'), [(20, '–'), (21, '75.00')])
def test_a_median_of_all_evaluations_is_not_one_of_the_last(
        tmp_path, papers, number, shown):
    path = write_run(tmp_path, 'a', 4, 77., 76.)
    run = json.loads(path.read_text())
    run['metrics']['accuracy/top1']['history'] = [1.] * number
    path.write_text(json.dumps(run))
    text = render('all', read_groups(tmp_path / 'results'), papers)
    assert cells(text, '`a`')[3] == shown


@pytest.mark.parametrize('changes', [
    dict(max_epochs=40), dict(amp=True), dict(total_batch_size=64),
    dict(label='another data set'), dict(compile=True), dict(world_size=2),
    dict(config_text_sha='of another config'),
    dict(cfg_options=['param_scheduler.0.gamma=0.2']),
    dict(cfg_options=['val_dataloader.dataset.indices=500']),
    dict(dataset=dict(type='gssl_mm.CIFAR10', num_train=50000))])
def test_other_settings_are_never_averaged(tmp_path, changes):
    write_run(tmp_path, 'a', 0, 80., 80.)
    write_run(tmp_path, 'a', 1, 20., 20., **changes)
    groups = read_groups(tmp_path / 'results')
    found = {g.metric('accuracy/top1', 'best').mean for g in groups}
    assert found == {80., 20.}


def test_other_machines_are_averaged_and_listed(tmp_path):
    for seed, root in enumerate(('cifar10', 'CIFAR10')):
        write_run(tmp_path / 'roots', 'a', seed, 80., 80.,
                  dataset=dict(type='CIFAR10', root=root))
    assert len(read_groups(tmp_path / 'roots')) == 1
    write_run(tmp_path, 'a', 0, 80., 80.)
    write_run(tmp_path, 'a', 1, 82., 80., hardware=dict(gpu='Some GPU'))
    write_run(tmp_path, 'a', 2, 81., 80., hardware=dict(
        cpu='Some CPU', cpu_capability='AVX2', threads=2, gpu=None))
    group, = read_groups(tmp_path / 'results')
    assert group.metric('accuracy/top1', 'best').mean == 81
    assert group.places() == (
        'Some CPU (AVX2), 2 thread(s); Some CPU, 2 thread(s); Some GPU')


def test_a_tag_belongs_to_the_longest_stem(tmp_path, papers):
    for stem in ('resnet32_cifar10lt-r0.02-bf16', 'resnet32_cifar10lt-bf16',
                 'resnet32_cifar10lt-r0.02'):
        write_run(tmp_path, stem, 0, 80., 80.)
    found = match_rows(read_groups(tmp_path / 'results'),
                       papers['gssl-table1']['rows'])
    assert {k: sorted(g.stem for g in v) for k, v in found.items()} == {
        'resnet32_cifar10lt': ['resnet32_cifar10lt-bf16'],
        'resnet32_cifar10lt-r0.02': ['resnet32_cifar10lt-r0.02',
                                     'resnet32_cifar10lt-r0.02-bf16']}


def test_a_run_without_the_metric_of_a_row_is_not_its_run(tmp_path, papers):
    write_run(tmp_path, 'wrn40-2-pgd10_cifar10', 0, 80., 79.)
    text = render('gssl-table2', read_groups(tmp_path / 'results'), papers)
    assert cells(text, 'PGD | CIFAR-10 | – | clean')[6] == '80.00'
    assert set(cells(text, 'PGD | CIFAR-10 | – | PGD-20')[5:]) == {'–'}


def test_gates(tmp_path, papers):
    write_run(tmp_path, 'a', 0, 80., 80.)
    text = render('gates', read_groups(tmp_path / 'results'), papers)
    assert 'flip 0.750, lorot 0.250' in text and 'lorot 60.0' in text


def test_summary_leaves_out_what_is_not_a_number():
    assert summarise([math.nan, None, 'x', math.inf]) is None
    found = summarise([1, None, 3.])
    assert (found.mean, found.count) == (2, 2)
    assert found.std == pytest.approx(math.sqrt(2))


def test_damaged_and_double_files_are_refused_and_others_ignored(tmp_path):
    path = write_run(tmp_path, 'a', 0, 80., 80.)
    (tmp_path / 'results' / 'speed.json').write_text('{"ratio": 1}')
    assert len(read_groups(tmp_path / 'results')) == 1
    (path.parent / 'copy.json').write_text(path.read_text())
    with pytest.raises(ResultFileError, match='a second time'):
        read_groups(tmp_path / 'results')
    (path.parent / 'copy.json').write_text('{"config": ')
    with pytest.raises(ResultFileError, match='copy.json'):
        read_groups(tmp_path / 'results')


def test_paper_rows_are_complete_and_unique(papers):
    rows = [(name, r['row'], r['dataset'], r.get('ratio'), r['what'])
            for name, table in papers.items() for r in table['rows']]
    assert len(rows) == len(set(rows))
    # One training may serve rows of several metrics
    for name, table in papers.items():
        cells = [(s, r['metric']) for r in table['rows'] for s in r['configs']]
        assert len(cells) == len(set(cells)), name
        assert name != 'gssl-table1' or len(cells) == 60
    values = [r['value'] for r in papers['gssl-table1']['rows']
              if r['value'] is not None]
    # Seven published rows of six columns, of which six cells are empty
    assert len(values) == 36
    assert set(table_names(papers)) >= {'all', 'gates', 'gssl-table2',
                                        'gssl-table3', 'gssl-table4',
                                        'ft-table1', 'ft-table4'}


def test_check_write_check(tmp_path, run_tool):
    write_run(tmp_path, 'resnet32_cifar10lt', 0, 80.5, 80.)
    doc = tmp_path / 'docs' / 'deep' / 'results.md'
    doc.parent.mkdir(parents=True)
    doc.write_text('# Title\n<!-- results:all -->\nold\n<!-- /results -->\n'
                   'kept\n<!-- results:gates -->\n<!-- /results -->\nend\n')
    tool = 'analysis/collect_results.py'
    stale = run_tool(tool, '--check')
    assert stale.returncode == 1 and 'results.md: out of date' in stale.stdout
    assert run_tool(tool, '--write').returncode == 0
    text = doc.read_text()
    assert 'old' not in text and '80.50' in text
    assert text.startswith('# Title\n') and '\nkept\n' in text
    assert text.endswith('<!-- /results -->\nend\n')
    assert run_tool(tool, '--check').returncode == 0
    write_run(tmp_path, 'resnet32_cifar10lt', 1, 90.5, 80.)
    assert run_tool(tool, '--check').returncode == 1


def test_a_config_says_what_was_measured_with_it(tmp_path, run_tool):
    def write(name, seed, last, **changes):
        write_run(tmp_path, name, seed, 99., last, config='net', **changes)

    write('net-bf16', 0, 80., amp=True)
    write('net-bf16', 3, 82., amp=True)
    write('net-12e', 0, 70., max_epochs=12, wall_time_s=1800.)
    write('net-cold', 0, 60., cfg_options=['optim_wrapper.optimizer.lr=1.0',
                                           'train_cfg.val_interval=5'])
    write('net-wide', 0, 50., cfg_options=['model.backbone.width=32'])
    folder = tmp_path / 'configs' / 'family'
    folder.mkdir(parents=True)
    text = '"""Title.\n\nMeasured here: old\nlines.\nRun: me\n"""\na = 1\n'
    for name in ('net', 'net2'):
        (folder / f'{name}.py').write_text(text)
    tool = 'analysis/collect_results.py'
    assert run_tool(tool, '--check').returncode == 1
    assert run_tool(tool, '--write').returncode == 0
    assert run_tool(tool, '--check').returncode == 0
    assert (folder / 'net2.py').read_text() == text.replace(
        'old\nlines.', 'not yet.')
    lines = (folder / 'net.py').read_text().splitlines()
    assert max(map(len, lines)) <= 79
    assert ' '.join(' '.join(lines[2:-3]).split()) == (
        'Measured here, top-1 of the last epoch (docs/results.md says what '
        "the end of a run's name has that this config has not): "
        '- 70.00 (12 epochs, batch 128; CIFAR-10 | JPEG; seed 0; 0.50 h a run '
        'on Some CPU, 2 thread(s)): net-12e '
        '- 81.00 ± 1.41 (200 epochs, batch 128, bf16; CIFAR-10 | JPEG; '
        'seeds 0, 3; 1.00 h a run on Some CPU, 2 thread(s)): net-bf16 '
        '- 60.00 (200 epochs, batch 128; CIFAR-10 | JPEG; with '
        'optim_wrapper.optimizer.lr=1.0; seed 0; 1.00 h a run on Some CPU, 2 '
        'thread(s)): net-cold')
    assert lines[-3:] == ['Run: me', '"""', 'a = 1']


def test_mistakes_in_a_document(tmp_path, run_tool):
    write_run(tmp_path, 'a', 0, 80., 80.)
    tool = 'analysis/collect_results.py'
    (tmp_path / 'README.md').write_text(
        '<!-- results:nothing -->\n<!-- /results -->\n')
    wrong = run_tool(tool, '--check')
    assert wrong.returncode == 2 and "'nothing'" in wrong.stderr
    (tmp_path / 'README.md').write_text('<!-- results:all -->\nopen\n')
    wrong = run_tool(tool, '--write')
    assert wrong.returncode == 2 and 'not closed' in wrong.stderr
    assert run_tool(tool, '--results', 'gone').returncode == 2
    printed = run_tool(tool, 'gssl-table3')
    assert printed.returncode == 0 and '67.41' in printed.stdout


def test_a_table_of_our_own_says_so_and_shows_what_was_not_run(papers):
    for name in ('recipe', 'composition', 'task-heads'):
        text = render(name, [], papers)
        assert '(not from a paper).' in text
        rows = [line for line in text.splitlines() if '| top-1 |' in line]
        assert len(rows) == len(papers[name]['rows'])
    assert '(paper: Mixture of' in render('gssl-table1', [], papers)
    separation = render('gssl-figure8', [], papers)
    assert separation.count('| Vanilla | CIFAR-10 |') == 3


def test_the_page_shows_every_table(repo, papers):
    page = (repo / 'docs' / 'results.md').read_text()
    for name in table_names(papers):
        assert f'<!-- results:{name} -->' in page, name


def test_paper_rows_name_configs_that_exist():
    root = Path(__file__).resolve().parents[2]
    tables = json.loads((root / 'tools/analysis/paper_rows.json').read_text())
    stems = {path.stem for path in (root / 'configs').rglob('*.py')}
    for name, table in tables.items():
        for row in table['rows']:
            assert set(row['configs']) <= stems, (name, row['row'])


def test_a_reader_that_has_enough(repo, clean_env):
    tool = repo / 'tools' / 'analysis' / 'collect_results.py'
    done = subprocess.run(
        ['bash', '-c', f'"$PYTHON" {tool} | head -n 1; '
         'exit ${PIPESTATUS[0]}'], cwd=repo, env=clean_env, text=True,
        capture_output=True, check=False)
    assert done.returncode == 0 and 'Traceback' not in done.stderr


FACTS = dict(device='cpu', hardware=dict(cpu='CPU', threads=1),
             versions=dict(torch='2'), git_commit=None, promises=[])
ROW = dict(part='p', variant='v', ms=2., images_per_s=50., time_ratio=1.)


def write_benchmark(folder, name, **content):
    path = folder / f'{name}.json'
    path.write_text(json.dumps(dict(FACTS, **content)))


def test_columns_of_a_benchmark_are_shown_where_it_has_them(tmp_path):
    write_benchmark(tmp_path, 'a', rows=[ROW])
    write_benchmark(tmp_path, 'b', rows=[
        dict(ROW, accuracy=41.256, epoch_s=12.345),
        dict(part='p', variant='w', error='no memory'), ROW])
    plain, more = speed_tables(tmp_path).split('### b')
    assert 'accuracy' not in plain and 'epoch' not in plain
    assert '| time ratio | accuracy, % | a whole epoch, s |' in more
    assert '| p | v | 2.00 | 50 | 1.000 | 41.26 | 12.3 |' in more
    assert '| p | w | failed: no memory |  |  |  |  |' in more
    assert '| p | v | 2.00 | 50 | 1.000 |  |  |' in more


def test_a_benchmark_without_a_file_was_not_measured(tmp_path):
    write_benchmark(tmp_path, 'pgd', rows=[ROW])
    write_benchmark(tmp_path, 'pgd_gpu', rows=[ROW])
    sections = dict(part.split('\n', 1) for part in
                    f'\n\n{speed_tables(tmp_path)}'.split('\n\n### ')[1:])
    assert list(sections) == sorted([*BENCHMARKS, 'pgd_gpu'])
    for name, body in sections.items():
        assert (body.strip() == NOT_MEASURED) is not name.startswith('pgd')


def test_the_modelled_curve_is_said_to_be_no_measurement(tmp_path):
    ends = {f'{key}_{end}': value for key, value in (
        ('ms', 2.), ('images_per_s', 64e3), ('efficiency', .5))
        for end in ('slow', 'fast')}
    curve = [dict(ends, scaling='weak', gpus=8, images_each=128, ms_slow=4.)]
    content = dict(
        rows=[dict(ROW, speed_over_one=1.25)],
        reduced=dict(gradient_bytes=1234567, other_bytes=32, calls=3),
        settings=dict(inside=200., between=20., latency=10., node=8),
        model=dict(machine='a GPU', curve=curve))
    write_benchmark(tmp_path, 'scaling', **content)
    found = speed_tables(tmp_path)
    assert '| 1.000 | 1.25 |' in found
    assert ('| weak | 8 | 128 | 2.00 to 4.00 | 64,000 to 64,000 | '
            '0.50 to 0.50 |') in found
    for words in ('a GPU, **not measured**', '1,234,567 bytes', '20 GB/s'):
        assert words in found
    write_benchmark(tmp_path, 'scaling', **dict(
        content, reduced=None, model=dict(machine='a GPU', curve=[])))
    assert 'Modelled' not in speed_tables(tmp_path)


def test_the_page_says_how_every_benchmark_is_measured(repo):
    page = (repo / 'docs' / 'speed.md').read_text()
    commands = re.findall(
        r'^python tools/(benchmarks/\w+\.py) .*--out '
        r'results/benchmarks/(\w+)\.json$', page, re.MULTILINE)
    assert sorted(stem for _, stem in commands) == sorted(BENCHMARKS)
    for script, _ in commands:
        assert (repo / 'tools' / script).is_file()
