"""What the pages say, taken apart: links, commands, snippets, files."""
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r'^```(bash|python)\n(.*?)^```', re.MULTILINE | re.DOTALL)
# First line of a snippet that is a file of the reader's
FILE = re.compile(r'# (\w+\.py)\n')
PAGES = ['README.md', *sorted(
    str(p.relative_to(ROOT)) for p in (ROOT / 'docs').glob('*.md'))]


def snippets(page):
    """Kind and text of the snippets of a page, in order."""
    return BLOCK.findall((ROOT / page).read_text())


def commands(page):
    """Words of each command line, comments, installing and names left out."""
    found = []
    for kind, body in snippets(page):
        if kind != 'bash':
            continue
        for line in body.replace('\\\n', ' ').splitlines():
            for part in line.split(' && '):
                words = shlex.split(part, comments=True)
                while words and re.match(r'[A-Z_]+=', words[0]):
                    words.pop(0)
                if words and words[0] == 'python' or (
                        words and words[0].startswith('tools/')):
                    found.append(words[words[0] == 'python':])
    return found


def pytest_generate_tests(metafunc):
    """Give tests with a ``page`` every page that they do not leave out."""
    if 'page' in metafunc.fixturenames and not any(
            'page' in mark.args[0] for mark in
            metafunc.definition.iter_markers('parametrize')):
        left_out = getattr(metafunc.function, 'left_out', ())
        metafunc.parametrize('page', [p for p in PAGES if p not in left_out])


@pytest.fixture
def docs():
    """Functions on pages."""
    return SimpleNamespace(root=ROOT, snippets=snippets, commands=commands,
                           file=FILE, pages=PAGES)


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


@pytest.fixture
def run(clone):
    """Run a snippet in the clone, by a process of its own."""
    def run_snippet(kind, body):
        env = dict(os.environ, OMP_NUM_THREADS='1',
                   PATH=f'{clone / "bin"}:{os.environ["PATH"]}')
        start = ['bash', '-euc'] if kind == 'bash' else ['python', '-c']
        done = subprocess.run(
            [*start, body], cwd=clone, env=env, text=True,
            capture_output=True, check=False, timeout=1800)
        assert done.returncode == 0, f'{body}\n{done.stderr[-2000:]}'
        return done.stdout

    return run_snippet
