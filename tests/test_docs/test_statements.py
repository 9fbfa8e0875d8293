"""Links lead somewhere, commands and names exist, the D list is complete."""
import ast
import inspect
import re
import runpy
import sys
from contextlib import redirect_stdout
from functools import cache
from io import StringIO

import pytest
from mmengine.config import Config
from mmengine.registry import Registry
from mmpretrain import registry as host

import gssl_mm
import gssl_mm.datasets
import gssl_mm.models
from gssl_mm.tooling.config_file import resolve_config
from gssl_mm.tooling.key_check import check_config_keys, check_option_keys

LINK = re.compile(r'\]\(([^)\s]+)\)')
CODE = re.compile(r'`([^`\n]+)`')
FENCE = re.compile(r'^```.*?^```', re.MULTILINE | re.DOTALL)
FILES = re.compile(r'^(?:tools|configs|docs|weights)/[\w./-]+\.\w+$')
OURS = re.compile(r'gssl_mm\.([A-Z]\w+)')
# Files that earlier steps make, and shells
STARTED_BY = {'tools/dist_train.sh': 'tools/train.py',
              'tools/slurm_train.sh': 'tools/train.py',
              'tools/run_seeds.sh': 'tools/train.py',
              'tools/dist_test.sh': 'tools/test.py',
              'tools/slurm_test.sh': 'tools/test.py'}
REGISTRIES = [r for r in vars(host).values() if isinstance(r, Registry)]


def prose(docs, page):
    return FENCE.sub('', (docs.root / page).read_text())


def anchors(path):
    """Anchors of the headings, as GitHub makes them."""
    titles = re.findall(r'^#+ (.*)$', path.read_text(), re.MULTILINE)
    return {re.sub(r'[^\w\- ]', '', title.lower()).replace(' ', '-')
            for title in titles}


def test_links(docs, page):
    for target in LINK.findall(prose(docs, page)):
        if '://' in target:
            continue
        name, _, anchor = target.partition('#')
        path = (docs.root / page).parent / name if name else docs.root / page
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), target


def test_files_and_components_that_are_named_exist(docs, page):
    for text in CODE.findall(prose(docs, page)):
        if FILES.match(text):
            assert (docs.root / text).exists(), text
    for name in OURS.findall((docs.root / page).read_text()):
        if name in ('Name', 'LocalSolarize'):
            continue
        assert any(r.get(f'gssl_mm.{name}') for r in REGISTRIES), name


@cache
def help_of(script):
    """What ``--help`` prints, without starting a process."""
    argv, path = sys.argv, sys.path
    sys.argv, sys.path = [str(script), '--help'], [str(script.parent), *path]
    try:
        with redirect_stdout(StringIO()) as out, pytest.raises(SystemExit):
            runpy.run_path(str(script), run_name='__main__')
        return out.getvalue()
    finally:
        sys.argv, sys.path = argv, path


def check_options(words):
    """Hold what follows ``--cfg-options`` against the configs before it."""
    if '--cfg-options' not in words:
        return
    at = words.index('--cfg-options') + 1
    found = {}
    for word in words[at:]:
        if word.startswith('--'):
            break
        key, _, value = word.partition('=')
        try:
            found[key] = ast.literal_eval(value)
        except (SyntaxError, ValueError):
            found[key] = value
    for word in words[:at]:
        if re.fullmatch(r'(configs/|gssl_mm::).*\.py', word):
            cfg = Config.fromfile(resolve_config(word))
            check_option_keys(found, cfg.keys())
            cfg.merge_from_dict(found)
            check_config_keys(cfg)


def test_commands(docs, page, monkeypatch):
    monkeypatch.chdir(docs.root)
    for script, *words in docs.commands(page):
        assert (docs.root / script).is_file(), script
        if script.endswith('.sh') and script not in STARTED_BY:
            continue
        known = help_of(docs.root / STARTED_BY.get(script, script))
        for word in words:
            if word.startswith('--') and word != '--':
                assert re.search(rf'{word}\b', known), (script, word)
            if re.fullmatch(r'configs/.*\.(py|json)', word):
                assert (docs.root / word).is_file(), word
        check_options(words)


def test_every_page_is_in_the_index(docs):
    index = (docs.root / 'docs/README.md').read_text()
    for page in docs.pages:
        name = page.removeprefix('docs/')
        assert name == 'README.md' or f']({name})' in index, name


def test_the_list_of_disagreements_is_complete(docs):
    text = (docs.root / 'docs/reproduction.md').read_text()
    rows = re.findall(r'^\| (D\d+) \|', text, re.MULTILINE)
    assert rows == [f'D{n}' for n in range(1, 24)]
    sources = [*(docs.root / 'gssl_mm').rglob('*.py'),
               *(docs.root / 'configs').rglob('*.py')]
    used = {name for path in sources if '.mim' not in path.parts
            for name in re.findall(r'\bD\d{1,2}\b', path.read_text())}
    assert used <= set(rows), used - set(rows)


def arguments(kind):
    """Names that a class or one of its bases takes."""
    return {name for cls in kind.__mro__ if '__init__' in vars(cls)
            for name in inspect.signature(cls.__init__).parameters}


def test_switches_of_the_list_exist(docs):
    """``Name(key=value)`` in the pages names an argument of ours."""
    text = ''.join(prose(docs, page) for page in docs.pages)
    checked = 0
    for call in re.findall(r'`([A-Z]\w+\(\w+=[^`]*\))`', text):
        try:
            call = ast.parse(call, mode='eval').body
        except SyntaxError:  # an ellipsis among the arguments
            continue
        kind = next(filter(None, (
            r.get(f'gssl_mm.{call.func.id}') for r in REGISTRIES)), None)
        assert kind is not None, call.func.id
        for keyword in call.keywords:
            assert keyword.arg in arguments(kind), (kind, keyword.arg)
            checked += 1
    assert checked > 8
    assert gssl_mm.models and gssl_mm.datasets
