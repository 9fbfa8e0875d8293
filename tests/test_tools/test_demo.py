"""The demo: its report on made-up runs, and the demo itself."""
import io
import json

import pytest

from gssl_mm.tooling.demo import Progress
from gssl_mm.tooling.demo_report import DemoRun, describe, text_table, verdict

FIGURES = ('gate', 'pretext', 'class_accuracy')
SHORT = ['train_cfg.max_epochs=1', 'train_cfg.val_interval=1',
         'train_dataloader.dataset.dataset.num_per_class=70',
         'val_dataloader.dataset.num_per_class=3',
         'default_hooks.logger.interval=1']


def made_up(tmp_path, **pretext):
    (tmp_path / 'result.json').write_text(json.dumps(dict(
        metrics={'accuracy/top1': dict(last=61.25), 'shot/few': dict(
            last=None)},
        train_last={f'gate_{name}': .25 for name in pretext})))
    return DemoRun('G-SSL', tmp_path, pretext,
                   {name: 100 / 16 for name in pretext})


def test_verdict_and_table(tmp_path):
    good = made_up(tmp_path, lorot=26.26)
    assert good.failed_tasks() == [] and 'FAILED' not in verdict([good])
    text = describe([good])
    assert '61.2' in text and '0.250' in text and '26.3' in text
    for value in (26.24, 0., float('nan')):
        bad = made_up(tmp_path, lorot=value, flip=99.)
        assert bad.failed_tasks() == ['lorot']
        assert verdict([good, bad]).startswith('FAILED: lorot')


def test_columns_are_aligned():
    lines = text_table(['a', 'bb'], [['ccc', '1'], ['d', '1000']]).split('\n')
    assert lines == ['a      bb', '---  ----', 'ccc     1', 'd    1000']


def test_progress_without_a_terminal():
    stream = io.StringIO()
    progress = Progress(stream)
    progress.total = 200
    for _ in range(200):
        progress('text')
    lines = stream.getvalue().splitlines()
    assert len(lines) == 11 and lines[0].startswith('  0%')
    assert lines[-1].startswith('100%') and 'ETA 0:00' in lines[-1]


def test_a_shortened_demo_draws_everything_and_fails(run_tool, tmp_path):
    done = run_tool('demo.py', '--out', 'here', '--cfg-options', *SHORT)
    assert done.returncode == 1, done.stderr
    assert 'FAILED' in done.stdout and 'ETA' in done.stdout
    for word in ('LDAM-DRW', 'many', 'lorot', 'flip', 'perm', 'chance'):
        assert word in done.stdout
    for name in FIGURES:
        assert (tmp_path / 'here' / f'{name}.png').stat().st_size > 5000
        assert (tmp_path / 'here' / f'{name}.svg').is_file()
        assert f'{name}.png' in done.stdout


@pytest.mark.slow
def test_the_demo(run_tool):
    done = run_tool('demo.py')
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'beats chance' in done.stdout
