"""Logs, and the page about them: what is in it, and in a browser."""
import html
import json
import re
import shutil
import subprocess

import pytest

from gssl_mm.tooling.errors import ConfigFileError
from gssl_mm.visualization import HalfWrittenLogError, RunLogError
from gssl_mm.visualization.report import LookOptions, build_page, look
from gssl_mm.visualization.report.charts import Scale, Series, line_chart, ticks
from gssl_mm.visualization.report.facts import curves
from gssl_mm.visualization.run_log import read_log
from gssl_mm.visualization.run_record import (
    config_rows,
    flatten,
    read_run,
    read_runs,
)

CHROMIUM = shutil.which('chromium') or shutil.which('chromium-browser')
FLAGS = ('--headless', '--no-sandbox', '--disable-gpu', '--disable-quic',
         '--no-first-run', '--disable-background-networking',
         '--disable-component-update', '--disable-sync')
# What the page complains of, from before its own script runs
LISTEN = '''<script>window.complaints = [];
addEventListener('error', (e) => complaints.push(e.message));
addEventListener('securitypolicyviolation',
                 (e) => complaints.push(e.blockedURI));
console.error = (...words) => complaints.push(words.join(' '));</script>'''
POLICY = ('<meta http-equiv="Content-Security-Policy" content="default-src '
          "'none'; img-src data:; style-src 'unsafe-inline'; script-src "
          "'unsafe-inline'\">")
PROBE = '''<script>
const cells = (n) => [...document.querySelectorAll(
  'table[aria-label=classes] tbody tr')].map((r) => r.cells[n].textContent);
const press = (n) => document.querySelectorAll(
  'table[aria-label=classes] th button')[n].click();
const before = cells(1);
press(1);
const up = cells(1);
press(1);
const down = cells(1);
press(0);
const named = cells(0);
const lines = [...document.querySelectorAll('.line polyline')];
const lengths = lines.map((l) => l.getTotalLength());
const svg = document.querySelector('figure.chart svg');
const box = svg.getBoundingClientRect();
svg.dispatchEvent(new PointerEvent('pointermove', {
  clientX: box.left + box.width * .9, clientY: box.top + 20}));
const hint = svg.parentElement.querySelector('output').textContent;
document.querySelector('[data-toggle="1"]').click();
const hidden = [...document.querySelectorAll('.line[data-run="1"]')].every(
  (l) => getComputedStyle(l).display === 'none');
const result = {complaints, before, up, down, named, lengths, hint, hidden,
  width: innerWidth, content: document.documentElement.scrollWidth};
document.body.dataset.result = JSON.stringify(result);
</script>'''


def test_overlapping_logs_are_one_run(tmp_path, writers):
    rows = list(writers['rows'](2))
    writers['log'](tmp_path, rows, '\n{"cut', '20260101_000000')
    # Resumed after the first epoch
    later = [dict(row, loss=9.) if 'loss' in row else {**row, 'accuracy/top1':
             77.} for row in list(writers['rows'](3))[3:]]
    writers['log'](tmp_path, later, '\n', '20260101_000001')
    log = read_log(tmp_path)
    assert log.train['loss'] == {2: 1.5, 4: .75, 6: 9., 8: 9., 10: 9., 12: 9.}
    assert log.val['accuracy/top1'] == {1: 21., 2: 77., 3: 77.}
    assert log.resumed == [6] and len(log.cut) == 1
    assert log.epoch_length == 4 and log.last_epoch == 3


def test_half_written_logs(tmp_path, writers):
    with pytest.raises(RunLogError, match='0 .*found'):
        read_log(tmp_path)
    path = writers['log'](tmp_path, [], '{"loss": 1., "st')
    with pytest.raises(HalfWrittenLogError, match='line 1 of 1'):
        read_log(tmp_path)
    whole = json.dumps(dict(loss=1., iter=1, step=1, epoch=1))
    path.write_text(f'{whole}\n{whole[:9]}\n{whole}\n')
    with pytest.raises(HalfWrittenLogError, match='line 2 of 3'):
        read_log(tmp_path)
    path.write_text('')
    with pytest.raises(RunLogError, match='without a scalar'):
        read_log(tmp_path)


def test_damaged_work_dirs(tmp_path, writers):
    with pytest.raises(RunLogError, match='no folder'):
        read_run(tmp_path / 'nowhere')
    folder = writers['run'](tmp_path / 'run')
    text = (folder / 'result.json').read_text()
    (folder / 'result.json').write_text(text[:40])
    with pytest.raises(HalfWrittenLogError, match='result.json'):
        read_run(folder)
    (folder / 'result.json').write_text(text)
    table = (folder / 'per_class_accuracy.csv')
    table.write_text(table.read_text()[:100])
    with pytest.raises(HalfWrittenLogError, match='per_class'):
        read_run(folder)
    table.unlink()
    next(folder.glob('*/vis_data/config.py')).unlink()
    with pytest.raises(ConfigFileError, match='no config'):
        read_run(folder)


def test_record(run_dir, other_dir):
    runs = read_runs([('a', run_dir), ('b', other_dir)])
    assert [run.status for run in runs] == ['finished', 'epoch 2 of 3']
    assert runs[0].metric('accuracy/top1') == dict(
        last=23., last_step=3, best=23., best_step=3)
    assert runs[0].metric('shot/few') == {}  # nan
    assert runs[0].curve('loss') == (
        [.5, 1., 1.5, 2., 2.5, 3.], [1.5, .75, .5, .375, .3, .25])
    assert runs[0].curve('accuracy/top1') == ([1., 2., 3.], [21., 22., 23.])
    unlike, same = config_rows(runs)
    assert unlike == [['optim_wrapper.optimizer.lr', '0.1', '0.2']]
    assert same > 20


def test_a_lone_loss_is_the_classifiers(run_dir, tmp_path, writers):
    rows = [{k: v for k, v in row.items() if k != 'loss_cls'}
            for row in writers['rows'](3, gated=False)]
    folder = writers['run'](tmp_path)
    next(folder.glob('*/vis_data/scalars.json')).write_text(
        ''.join(f'{json.dumps(row)}\n' for row in rows))
    runs = read_runs([('gated', run_dir), ('plain', folder)])
    chart, = (c for c in curves(runs) if 'loss of the classifier' in c)
    assert len(re.findall('<polyline', chart)) == 2


def test_flat_configs():
    assert flatten(dict(a=[dict(b=1), dict(b=(2, 3))], c=[], d={})) == {
        'a.0.b': '1', 'a.1.b': '[2, 3]', 'c': '[]', 'd': '{}'}


def test_scales():
    assert ticks(0, 1) == [0, .2, .4, .6, .8, 1]
    assert ticks(3, 3) == [3]
    linear, log = Scale(0, 10, 100, 0), Scale(.01, 100, 0, 40, log=True)
    assert linear(2.5) == 75 and log(1) == pytest.approx(20)
    assert log.ticks() == pytest.approx([.01, .1, 1, 10, 100])
    assert line_chart('x', [Series('a', [1], [float('nan')], 0)], 'x') == ''
    long = Series('a', range(1000), range(1000), 0)
    assert len(long.thinned()) == 200 and long.thinned()[0] == (2, 2)


@pytest.fixture(scope='module')
def page(run_dir, other_dir):
    runs = read_runs([('first <one>', str(run_dir)),
                      ('second', str(other_dir))])
    return build_page(runs, look(runs, LookOptions(per_class=2, num_images=2)))


def test_page_holds_everything(page):
    found = re.findall(r'<section id="(\w+)">', page)
    expected = ['runs', 'curves', 'gates', 'pretext', 'classes', 'attention',
                'features', 'errors', 'calibration', 'configs', 'environment']
    assert found == expected
    assert 'first &lt;one&gt;' in page and 'first <one>' not in page
    assert 'a &lt;cpu&gt;' in page and '<td>9.9</td>' in page
    assert 'Weights: epoch_3.pth of first &lt;one&gt;, epoch_2.pth of' in page
    assert 'epoch 2 of 3' in page and 'second: the last line' in page
    # The logged accuracy of the last epoch, chance and the config's difference
    assert '>23.00<' in page and '>6.25<' in page
    assert 'optim_wrapper.optimizer.lr' in page
    assert page.count('data:image/jpeg') == 2 * 3


def test_page_needs_no_network(page):
    assert not re.findall(r'(?:src|href)="(?!#|data:)', page)
    assert 'url(' not in page and '@import' not in page
    assert 'fetch(' not in page and 'http' not in re.sub(
        r'http://www.w3.org/\S+', '', page)


def test_what_is_missing_is_named(tmp_path, writers):
    folder = writers['run'](tmp_path / 'run', finished=False)
    (folder / 'per_class_accuracy.csv').unlink()
    for path in folder.glob('*.pth'):
        path.unlink()
    runs = read_runs([(None, str(folder))])
    text = build_page(runs, look(runs, LookOptions()))
    assert 'CheckpointFileError' in text and 'no last checkpoint' in text
    assert 'No run wrote per_class_accuracy.csv' in text
    assert 'id="attention"' not in build_page(runs)


def browse(page, folder, width):
    """Load the page, press and point, and return what it saw."""
    text = page.replace('<head>', f'<head>{POLICY}{LISTEN}').replace(
        '</body>', f'{PROBE}</body>')
    # A window can't be as narrow as a phone, a frame can
    (folder / 'page.html').write_text(
        f'<body><iframe width="{width}" height="800" style="border:0" '
        f'srcdoc="{html.escape(text)}" onload="document.body.dataset.result '
        '= this.contentDocument.body.dataset.result"></iframe></body>')
    done = subprocess.run(
        [CHROMIUM, *FLAGS, f'--user-data-dir={folder / "profile"}',
         '--window-size=1000,900', '--dump-dom',
         (folder / 'page.html').as_uri()],
        capture_output=True, text=True, timeout=240, check=False)
    found = re.search(r'data-result="([^"]*)"', done.stdout)
    assert found, done.stderr[-2000:]
    return json.loads(html.unescape(found[1]))


@pytest.mark.skipif(CHROMIUM is None, reason='no chromium: apt-get install '
                    'chromium')
def test_page_in_a_browser(page, tmp_path):
    found = browse(page, tmp_path, 390)
    assert found['complaints'] == []
    # Two lines for each scalar that both runs logged
    assert len(found['lengths']) >= 16 and min(found['lengths']) > 20
    counts = [80 - 7 * i for i in range(10)]
    assert [int(c) for c in found['before']] == counts
    assert [int(c) for c in found['up']] == counts[::-1]
    assert [int(c) for c in found['down']] == counts
    assert found['named'] == [f'c{i}' for i in range(10)]
    assert '23 first <one> (3)' in found['hint']
    assert found['hidden']
    assert found['width'] == 390
    assert found['content'] <= 390, 'wider than a phone'
