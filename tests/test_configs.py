"""Every config loads, says what it is, builds, and trains."""
import ast
import copy
import json
import pickle
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from mmpretrain.registry import DATASETS, HOOKS, METRICS, MODELS

from gssl_mm.tooling.key_check import check_config_keys

ROOT = Path(__file__).resolve().parents[1] / 'configs'
LEAVES = sorted(p for p in ROOT.rglob('*.py')
                if not {'_base_', 'deploy'} & set(p.parts))
NAMES = [str(p.relative_to(ROOT)) for p in LEAVES]
# One of each family trains in the default run; the others with -m slow
FAMILIES = ['gssl/resnet32_cifar100lt.py', 'gssl/resnet32-ce_cifar10lt.py',
            'gssl/resnet32-ssp-pretrain_cifar10lt.py']
# Feature masks, attacks and Tiny-ImageNet have tests of their own, at a smaller
# size
OTHERS = [n for n in NAMES if n.startswith('gssl/') and n not in FAMILIES
          and '-r0.0' not in n and 'slasd' not in n
          and 'tinyimagenet' not in n]


@pytest.fixture(scope='module')
def configs():
    return {name: Config.fromfile(ROOT / name) for name in NAMES}


@pytest.mark.parametrize('name', NAMES)
def test_leaf_is_small_and_opens_with_a_docstring(name):
    text = (ROOT / name).read_text()
    tree = ast.parse(text)
    doc = ast.get_docstring(tree)
    assert doc and doc.splitlines()[0].endswith('.')
    assert text.count('\n') <= 45
    assert doc.count('\nMeasured here') == 1
    command = re.search(r'^Measured here.*?^Run: (.*)', doc,
                        re.DOTALL | re.MULTILINE)[1]
    assert name in command or 'demo' in name and command.endswith('demo.py')
    bases = next(node.value for node in tree.body if isinstance(
        node, ast.Assign) and node.targets[0].id == '_base_')
    assert len(getattr(bases, 'elts', [bases])) <= 4


@pytest.mark.parametrize('name', NAMES)
def test_loaders_have_workers_where_samples_are_work(name, configs):
    loader = configs[name].train_dataloader
    dataset = loader.dataset
    while 'dataset' in dataset:
        dataset = dataset.dataset
    packed = [step.type for step in dataset.pipeline] == ['PackInputs']
    assert (loader.num_workers == 0) == packed
    assert bool(loader.get('persistent_workers')) != packed


@pytest.mark.parametrize('name', NAMES)
def test_name_follows_the_scheme(name):
    stem = Path(name).stem
    assert stem == stem.lower()
    fields = stem.split('_')
    assert 2 <= len(fields) <= 3, fields


def test_no_two_leaves_are_the_same_experiment(configs):
    seen = {}
    for name, cfg in configs.items():
        content = json.dumps(cfg.to_dict(), sort_keys=True, default=str)
        assert content not in seen, (name, seen[content])
        seen[content] = name


def test_every_gated_recipe_keeps_the_gates_of_its_first_epoch(configs):
    gated = [name for name, cfg in configs.items() if 'gate' in cfg.model.head]
    assert len(gated) > 50
    for name in gated:
        hooks = [hook['type'] for hook in configs[name].default_hooks.values()]
        assert 'gssl_mm.GateCurvesHook' in hooks, name


@pytest.mark.parametrize('name', NAMES)
def test_keys_are_read_and_components_build(configs, name):
    cfg = copy.deepcopy(configs[name])
    check_config_keys(cfg)
    drop_pretrained(cfg)
    model = MODELS.build(cfg.model)
    assert sum(p.numel() for p in model.parameters()) > 1e4
    for hook in cfg.get('custom_hooks') or []:
        HOOKS.build(hook)
    for hook in cfg.default_hooks.values():
        assert HOOKS.get(hook['type']) is not None, hook
    for metric in cfg.val_evaluator:
        METRICS.build(metric)
    for part in ('train', 'val', 'test'):
        dataset = cfg[f'{part}_dataloader'].dataset
        while dataset is not None:
            assert DATASETS.get(dataset['type']) is not None, dataset['type']
            dataset = dataset.get('dataset')
    assert cfg.total_batch_size == cfg.auto_scale_lr.base_batch_size
    assert cfg.default_scope == 'mmpretrain'


def drop_pretrained(cfg):
    """Forget weights that an earlier stage would have written."""
    init = cfg.model.backbone.get('init_cfg')
    if isinstance(init, dict) and init.get('type') == 'Pretrained':
        cfg.model.backbone.init_cfg = None


@pytest.fixture(scope='session')
def tiny_data(tmp_path_factory):
    """CIFAR archives of 20 (CIFAR-10) or 10 images a class."""
    root = tmp_path_factory.mktemp('data')
    rng = np.random.default_rng(0)

    def dump(folder, name, classes, each, key):
        (root / folder).mkdir(exist_ok=True)
        labels = np.tile(np.arange(classes), each).tolist()
        data = rng.integers(0, 256, (len(labels), 3072), dtype=np.uint8)
        with open(root / folder / name, 'wb') as file:
            pickle.dump({'data': data, key: labels}, file, protocol=4)

    ten, hundred = 'cifar-10-batches-py', 'cifar-100-python'
    for i in range(1, 6):
        dump(ten, f'data_batch_{i}', 10, 4, 'labels')
    dump(ten, 'test_batch', 10, 2, 'labels')
    dump(hundred, 'train', 100, 10, 'fine_labels')
    dump(hundred, 'test', 100, 1, 'fine_labels')
    metas = ((ten, 'batches.meta', 'label_names', 10),
             (hundred, 'meta', 'fine_label_names', 100))
    for folder, name, key, count in metas:
        with open(root / folder / name, 'wb') as file:
            pickle.dump({key: [f'c{i}' for i in range(count)]}, file)
    return root


def shrink(cfg, work_dir, data_root):
    """Two iterations on tiny data, without workers."""
    drop_pretrained(cfg)
    cfg.update(work_dir=str(work_dir), log_level='ERROR',
               experiment_name=work_dir.name)
    cfg.train_cfg.max_epochs = 1
    for part in ('train', 'val', 'test'):
        loader = cfg[f'{part}_dataloader']
        loader.update(num_workers=0, persistent_workers=False)
        dataset = loader.dataset
        if 'imbalance_ratio' in dataset:
            dataset.imbalance_ratio = 0.1
        while dataset.get('dataset'):
            dataset = dataset.dataset
        if 'CIFAR' in dataset['type']:
            dataset.update(data_root=str(data_root), verify_md5=False)
        if 'Synthetic' in dataset['type']:
            dataset.num_per_class = 10
    size = len(DATASETS.build(copy.deepcopy(cfg.train_dataloader.dataset)))
    cfg.train_dataloader.batch_size = -(-size // 2)
    return cfg


def run_two_iterations(name, tmp_path, tiny_data):
    cfg = shrink(Config.fromfile(ROOT / name), tmp_path / Path(name).stem,
                 tiny_data)
    runner = Runner.from_cfg(cfg)
    before = copy.deepcopy(runner.model.state_dict())
    runner.train()
    assert runner.iter == 2
    after = runner.model.state_dict()
    assert all(v.isfinite().all() for v in after.values())
    moved = {k for k in before if not torch.equal(before[k], after[k])}
    frozen = {n for n, p in runner.model.named_parameters()
              if not p.requires_grad}
    trained = {n for n, p in runner.model.named_parameters()} - frozen
    assert trained <= moved, trained - moved
    assert not frozen & moved
    assert (tmp_path / Path(name).stem / 'result.json').is_file()


@pytest.mark.parametrize('name', FAMILIES)
def test_one_of_each_family_trains(name, tmp_path, tiny_data):
    run_two_iterations(name, tmp_path, tiny_data)


@pytest.mark.slow
@pytest.mark.parametrize('name', OTHERS)
def test_every_config_trains(name, tmp_path, tiny_data):
    run_two_iterations(name, tmp_path, tiny_data)
