"""The metafiles name what exists, and are what the generator writes."""
import hashlib
import json
from pathlib import Path

import pytest
import yaml
from mmengine.config import Config
from mmpretrain.apis.model import ModelHub
from modelindex.load_model_index import load

import gssl_mm.apis
from gssl_mm.tooling import model_zoo
from gssl_mm.tooling.errors import OptionError
from gssl_mm.tooling.result_files import read_groups

ROOT = Path(__file__).resolve().parents[1]
INDEX = yaml.safe_load((ROOT / 'model-index.yml').read_text())['Import']


@pytest.fixture(scope='module')
def index():
    """As MIM reads it, from where the package is installed."""
    index = load(str(Path(gssl_mm.__file__).parent / '.mim/model-index.yml'))
    index.build_models_with_collections()
    return index


def test_every_family_is_in_the_index():
    found = {p.relative_to(ROOT).as_posix() for p in (
        *(ROOT / 'configs').glob('*/metafile.yml'),
        ROOT / 'weights/metafile.yml')}
    assert found == set(INDEX)


@pytest.mark.parametrize('metafile', INDEX)
def test_entries_name_what_exists(metafile):
    content = yaml.safe_load((ROOT / metafile).read_text())
    names = {c['Name'] for c in content['Collections']}
    assert all((ROOT / c['README']).is_file() for c in content['Collections'])
    for model in content['Models']:
        assert model['In Collection'] in names
        assert model['Name'] == model['Name'].lower()
        assert (ROOT / model['Config']).is_file(), model['Config']
        assert model['Metadata']['Parameters'] > 0
        if 'Weights' in model:
            assert (ROOT / model['Weights']).stat().st_size < 2_000_000


def test_every_recipe_is_listed_once(index):
    listed = [m.config for m in index.models if m.config.startswith('configs')]
    folders = [ROOT / p for p in INDEX if p.startswith('configs')]
    recipes = [p.relative_to(ROOT).as_posix() for folder in folders
               for p in folder.parent.glob('*.py')]
    assert sorted(listed) == sorted(recipes), (
        'run tools/analysis/write_metafiles.py --write')
    names = [m.name for m in index.models]
    assert len(set(names)) == len(names)


def test_the_host_finds_our_names(index):
    for model in index.models:
        assert model.name in gssl_mm.apis.list_models()
    found = ModelHub.get('resnet32-ldamdrw_cifar10lt')
    assert found.config.model.head.type == 'gssl_mm.CosineClsHead'
    demo = ModelHub.get('gssl_demo')
    assert Path(demo.weights).is_file()
    assert demo.results[0].task == 'Image Classification'


def test_published_weights_are_what_their_names_say():
    for path in (ROOT / 'weights').glob('*.pth'):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert path.stem.endswith(f'-{digest[:8]}')
        run = json.loads(path.with_suffix('.json').read_text())
        assert run['finished'] and run['config'] in Config.fromfile(
            path.with_suffix('.py')).text


def rendered(folder):
    return model_zoo.render(
        ROOT, folder, read_groups(ROOT / 'results'),
        model_zoo.ParameterCounter())


def test_the_weights_metafile_is_generated():
    folder = ROOT / 'weights'
    assert rendered(folder) == (folder / 'metafile.yml').read_text()


@pytest.mark.slow
@pytest.mark.parametrize('metafile', [i for i in INDEX if 'configs' in i])
def test_metafiles_are_generated(metafile):
    """To renew them: tools/analysis/write_metafiles.py --write."""
    path = ROOT / metafile
    assert rendered(path.parent) == path.read_text()


def test_results_come_from_the_runs_of_a_config(tmp_path):
    for seed, last in ((0, 60.), (1, 61.)):
        folder = tmp_path / 'net_data'
        folder.mkdir(exist_ok=True)
        (folder / f'seed{seed}.json').write_text(json.dumps(dict(
            config='net_data', seed=seed, label='CIFAR-10 as JPEG',
            metrics={'accuracy/top1': dict(last=last, best=99.)},
            finished=True)))
    groups = read_groups(tmp_path)
    result, = model_zoo.measured('net_data', groups)
    assert result['Metrics'] == {'Top 1 Accuracy': 60.5}
    assert result['Dataset'] == 'CIFAR-10 as JPEG, 2 seed(s)'
    assert model_zoo.measured('net_data-r0.02', groups) == []


def test_a_family_without_metafile_is_named(tmp_path):
    (tmp_path / 'configs' / 'new').mkdir(parents=True)
    with pytest.raises(OptionError, match='new has no metafile'):
        model_zoo.find_folders(tmp_path, ['new'])
