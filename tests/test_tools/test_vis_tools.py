"""The tools of tools/visualization, run as a user runs them."""
import json
import re
import runpy
import shlex
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
TOOLS = sorted((REPO / 'tools' / 'visualization').glob('*.py'))
# Those whose example needs no run; the others start with the demo
EXAMPLES = ('browse_pretext', 'cam', 'class_bars', 'confusion', 'reliability',
            'tsne')


def example(tool):
    """Words of the example that ``--help`` shows, without the tool."""
    text = re.search(r'Example:\n((?:    .*\n)+)', tool.read_text())[1]
    line = text.replace('\\\n', ' ').strip().splitlines()[-1]
    words = shlex.split(line)
    assert words[:2] == ['python', f'tools/visualization/{tool.name}']
    return words[2:]


def start(monkeypatch, name, *words):
    """Run a tool in this process; returns its exit code."""
    path = REPO / 'tools' / 'visualization' / f'{name}.py'
    monkeypatch.setattr(sys, 'argv', [str(path), *map(str, words)])
    with pytest.raises(SystemExit) as done:
        runpy.run_path(str(path), run_name='__main__')
    return done.value.code or 0


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder with the configs of the repository."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'configs').symlink_to(REPO / 'configs')
    return tmp_path


@pytest.mark.parametrize('tool', TOOLS, ids=lambda tool: tool.stem)
def test_help_has_an_example(tool, monkeypatch, capsys):
    assert start(monkeypatch, tool.stem, '--help') == 0
    shown = capsys.readouterr().out
    assert 'Example:\n    python tools/' in shown
    assert example(tool)


@pytest.mark.parametrize('name', EXAMPLES)
def test_example_runs(name, here, monkeypatch, capsys):
    if name in ('cam', 'tsne'):
        pytest.importorskip('pytorch_grad_cam')
    words = example(REPO / 'tools' / 'visualization' / f'{name}.py')
    assert start(monkeypatch, name, *words) == 0
    files = [Path(line) for line in capsys.readouterr().out.splitlines()
             if line.endswith(('.png', '.svg', '.json'))]
    assert {f.suffix for f in files} >= {'.png', '.svg'}
    assert all(f.stat().st_size > 200 for f in files)
    numbers = [json.loads(f.read_text()) for f in files if f.suffix == '.json']
    if name == 'tsne':
        assert numbers[0]['samples'] == 200
        assert 0 < numbers[0]['models']['gssl_demo']['knn_accuracy'] < 100
    if name == 'confusion':
        counts = numbers[0]['counts']['gssl_demo']
        assert [sum(row) for row in counts] == [20] * 10
    if name == 'cam':
        assert len(numbers[0]['images']) == 4


@pytest.fixture
def log(here):
    """A work dir with a log and a config, without a checkpoint."""
    folder = here / 'run' / 'a' / 'vis_data'
    folder.mkdir(parents=True)
    (folder / 'scalars.json').write_text(''.join(
        json.dumps(dict(loss=1. / s, gate_lorot=.4, gate_flip=.6, iter=s,
                        step=s, epoch=s)) + '\n' for s in (1, 2, 3)))
    (folder / 'config.py').write_text(
        "model = dict(type='ImageClassifier')\n"
        'train_cfg = dict(by_epoch=True, max_epochs=3)\n')
    return here / 'run'


def test_page_by_subprocess(log, run_tool):
    done = run_tool('visualization/report.py', 'a=run', '--no-models',
                    '--title', 'My run')
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == 'report.html'
    text = Path('report.html').read_text()
    assert '<title>My run</title>' in text and 'a: gate weights' in text


def test_mistakes_are_one_line(log, monkeypatch, capsys):
    scalars = next(log.glob('*/vis_data/scalars.json'))
    scalars.write_text('{"loss": 1')
    cases = (('report', ['run', '--no-models'], 'HalfWrittenLogError'),
             ('report', ['nowhere'], 'RunLogError'),
             ('plot_gate', ['run'], 'HalfWrittenLogError'),
             ('class_bars', ['run'], 'RunLogError'),
             ('cam', ['run'], 'CheckpointFileError'),
             ('cam', ['gssl_demo', '--indices', '99999'], 'SampleError'),
             ('cam', ['gssl_demo', '--images', 'x.png'], 'FileNotFoundError'),
             ('cam', ['gssl_demo', '--target-layer', 'a.b'],
              'TargetLayerError'),
             ('tsne', ['no_such_model'], 'UnknownModelError'),
             ('confusion', ['no/folder'], 'ConfigFileError'),
             ('reliability', ['gssl_demo', '--per-class', '0'],
              'SampleError'))
    for name, words, error in cases:
        assert start(monkeypatch, name, *words) == 2, (name, words)
        assert f'error: {error}: ' in capsys.readouterr().err, (name, words)


def test_a_checkpoint_of_another_model(here, monkeypatch, capsys):
    config = REPO / 'configs/gssl/demo_ldamdrw_synthetic.py'
    weights = next((REPO / 'weights').glob('gssl_demo-*.pth'))
    words = [f'{config},{weights}', '--cfg-options', 'model.backbone.depth=8']
    assert start(monkeypatch, 'confusion', *words, '--per-class', '2') == 0
    other = REPO / 'configs/gssl/resnet32_cifar10lt.py'
    assert start(monkeypatch, 'confusion', f'{other},{weights}') == 2
    assert 'ArchitectureMismatchError' in capsys.readouterr().err
    (here / 'noise.pth').write_bytes(b'not a checkpoint')
    assert start(monkeypatch, 'cam', f'{config},noise.pth') == 2
    assert 'CheckpointError' in capsys.readouterr().err
