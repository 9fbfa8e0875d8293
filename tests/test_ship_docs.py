"""The snippets of the pages on predicting and exporting run in order."""
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r'^```(bash|python)\n(.*?)^```', re.MULTILINE | re.DOTALL)
PAGES = {'inference': (), 'export': ('onnx', 'onnxruntime', 'mmdeploy')}


def commands(page):
    """Kind and text of the snippets of a page; installing is CI's."""
    text = (ROOT / f'docs/{page}.md').read_text()
    return [(kind, body) for kind, body in BLOCK.findall(text)
            if not body.startswith('pip install')]


@pytest.fixture
def clone(tmp_path):
    """A folder like a clone, to run the snippets in."""
    for name in ('tools', 'configs', 'weights'):
        (tmp_path / name).symlink_to(ROOT / name)
    bin_folder = tmp_path / 'bin'
    bin_folder.mkdir()
    (bin_folder / 'python').write_text(
        f'#!/bin/sh\nexec {sys.executable} -W ignore "$@"\n')
    (bin_folder / 'python').chmod(0o755)
    return tmp_path


def run(clone, kind, body):
    env = dict(os.environ, OMP_NUM_THREADS='1',
               PATH=f'{clone / "bin"}:{os.environ["PATH"]}')
    start = ['bash', '-euc'] if kind == 'bash' else ['python', '-c']
    done = subprocess.run([*start, body], cwd=clone, env=env, text=True,
                          capture_output=True, check=False, timeout=600)
    assert done.returncode == 0, f'{body}\n{done.stderr[-2000:]}'
    return done.stdout


def train_ldam(clone):
    """What the page takes as given: a short run of the demo's config."""
    run(clone, 'bash', '''
python tools/train.py configs/gssl/demo_ldamdrw_synthetic.py \\
    --work-dir work_dirs/demo_ldamdrw_synthetic --cfg-options \\
    train_dataloader.dataset.imbalance_ratio=0.1 \\
    train_dataloader.dataset.dataset.num_per_class=20 \\
    val_dataloader.dataset.num_per_class=2
''')


@pytest.mark.slow
@pytest.mark.parametrize('page', PAGES)
def test_snippets(page, clone):
    for module in PAGES[page]:
        if importlib.util.find_spec(module) is None:
            pytest.skip(f'{module} is not installed: see docs/export.md')
    if page == 'inference':
        train_ldam(clone)
    else:
        run(clone, *commands('inference')[0])
    found = commands(page)
    assert len(found) >= 4
    for kind, body in found:
        run(clone, kind, body)
    made = {'inference': ('predictions.csv', 'published'),
            'export': ('demo.onnx', 'exported/end2end.onnx')}
    assert all((clone / name).exists() for name in made[page])
