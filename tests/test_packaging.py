"""The package as a user installs it."""
import os
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

import gssl_mm
from gssl_mm import host_check

ROOT = Path(__file__).resolve().parents[1]


def run(*command, **kwargs):
    done = subprocess.run(
        [sys.executable, *map(str, command)], capture_output=True, text=True,
        check=False, **kwargs)
    assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-1500:]
    return done.stdout


def test_version_is_the_installed_one():
    assert metadata.version('gssl_mm') == gssl_mm.__version__


@pytest.mark.parametrize('found, match', [
    ({'onedl-mmengine': '0.10.12'}, 'onedl-mmpretrain'),
    ({'onedl-mmengine': '0.9.0', 'onedl-mmpretrain': '1.3.6'}, '0.9.0'),
    ({'onedl-mmengine': '0.10.12', 'mmengine': '0.10.7',
      'onedl-mmpretrain': '1.3.6'}, 'uninstall'),
])
def test_version_gate_names_the_pip_line(monkeypatch, found, match):
    monkeypatch.setattr(host_check, '_installed', lambda n: found.get(n, ''))
    with pytest.raises(ImportError, match=match) as error:
        host_check.check_host()
    assert 'pip install "onedl-mmengine>=0.10.12' in str(error.value)


def test_upstream_alone_is_accepted(monkeypatch):
    found = {'mmengine': '0.10.7', 'mmpretrain': '1.2.0'}
    monkeypatch.setattr(host_check, '_installed', lambda n: found.get(n, ''))
    host_check.check_host()


def test_configs_are_found_by_package_name():
    from mmengine.config import Config
    path = ROOT / 'configs/gssl/resnet32-lorot_cifar10lt.py'
    inherited = Config.fromstring(
        "_base_ = 'gssl_mm::gssl/resnet32-lorot_cifar10lt.py'", '.py')
    # mmengine notes in which package an inherited config was found
    expected = Config.fromfile(path).to_dict()
    assert strip_scope(inherited.to_dict()) == expected


def strip_scope(node):
    if isinstance(node, dict):
        return {k: strip_scope(v) for k, v in node.items() if k != '_scope_'}
    if isinstance(node, list | tuple):
        return type(node)(strip_scope(v) for v in node)
    return node


def test_an_inherited_config_builds():
    from mmengine.config import Config
    from mmpretrain.registry import MODELS
    cfg = Config.fromstring(
        "_base_ = 'gssl_mm::gssl/resnet32_cifar10lt.py'", '.py')
    model = MODELS.build(cfg.model)
    assert type(model.head).__module__.startswith('gssl_mm.')
    assert type(model).__module__.startswith('mmpretrain.')


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp('wheel')
    # From a copy: setuptools leaves a build folder where it works
    source = folder / 'source'
    subprocess.run(['git', 'clone', '-q', str(ROOT), str(source)], check=True)
    run('-m', 'pip', 'wheel', '-q', '--no-deps', '--no-build-isolation', '-w',
        folder, source)
    return next(folder.glob('*.whl'))


@pytest.mark.slow
def test_wheel_holds_configs_and_tools(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for path in ('configs/gssl/resnet32_cifar100lt.py', 'tools/train.py',
                 'tools/dist_train.sh', 'model-index.yml',
                 'weights/metafile.yml', 'configs/gssl/metafile.yml',
                 *(f'weights/{p.name}' for p in ROOT.glob('weights/*.pth'))):
        assert f'gssl_mm/.mim/{path}' in names, path
    sources = {p.relative_to(ROOT).as_posix()
               for p in (ROOT / 'gssl_mm').rglob('*.py')
               if '.mim' not in p.parts}
    tracked = subprocess.run(
        ['git', '-C', str(ROOT), 'ls-files', 'gssl_mm'], check=True,
        capture_output=True, text=True).stdout.split()
    assert {p for p in tracked if p in sources} <= names


@pytest.mark.slow
def test_wheel_installed_elsewhere_trains(wheel, tmp_path):
    site, work = tmp_path / 'site', tmp_path / 'work'
    run('-m', 'pip', 'install', '-q', '--no-deps', '--no-index', '--target',
        site, wheel)
    env = dict(os.environ, PYTHONPATH=str(site), OMP_NUM_THREADS='1')
    script = site / 'gssl_mm/.mim/tools/train.py'
    run(script, 'gssl_mm::gssl/demo_gssl_synthetic.py', '--work-dir', work,
        '--cfg-options', 'train_cfg.max_epochs=1',
        'train_dataloader.dataset.imbalance_ratio=0.1',
        'train_dataloader.dataset.dataset.num_per_class=20',
        'val_dataloader.dataset.num_per_class=5', cwd=tmp_path, env=env)
    assert (work / 'result.json').is_file()
    assert str(site) in run('-c', 'import gssl_mm; print(gssl_mm.__file__)',
                            cwd=tmp_path, env=env)
