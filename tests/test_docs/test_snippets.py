"""Python snippets run, configs in them train, cheap commands run."""
import copy
import re

import pytest
from mmengine.config import Config
from mmengine.runner import Runner
from mmpretrain.registry import DATASETS

from gssl_mm.tooling.key_check import check_config_keys

# Those of test_ship_docs.py need a process, or packages
OWN_TEST = ('docs/inference.md', 'docs/export.md')
# Commands that are cheap; the others are read in test_statements.py
STARTS = {
    'docs/start.md': r'tools/(test|visualization)|--work-dir work_dirs/first',
    'docs/pretext_task.md': r'browse_pretext',
    'docs/own_data.md': r'browse_pretext|class_bars',
    'docs/robustness.md': r'weights/gssl_demo',
    'docs/distributed.md': r'demo_gssl_synthetic',
    'docs/visualization.md': r'work_dirs/seen',
    'docs/reproduction.md': r'collect_results|claims',
}


def innermost(dataset):
    while dataset.get('dataset'):
        dataset = dataset.dataset
    return dataset


def shrink_data(loader, train):
    """Few images, without workers or files, and few steps in an epoch."""
    loader.update(num_workers=0, persistent_workers=False)
    if 'imbalance_ratio' in loader.dataset:
        loader.dataset.imbalance_ratio = 0.4
    data = innermost(loader.dataset)
    if 'CIFAR' in data['type'] or 'TinyImageNet' in data['type']:
        data.pop('data_root')
        data.image_size = 64 if 'Tiny' in data['type'] else 32
        data.split = 'train' if train else 'test'
        data['type'] = 'gssl_mm.SyntheticShapes'
    if 'Synthetic' in data['type']:
        data.num_per_class = 6 if train else 1
    else:
        # The host collects garbage whenever it packs a data set
        data.serialize_data = False
        size = len(DATASETS.build(copy.deepcopy(data)))
        data.indices = list(range(0, size, max(1, size // 40)))
    if 'num_labeled' in loader.dataset:
        loader.dataset.num_labeled = 20
    size = len(DATASETS.build(copy.deepcopy(loader.dataset)))
    loader.batch_size = 4 if 'num_labeled' in loader.dataset else -(-size // 2)


def shrink(cfg, folder):
    """Two iterations of a small network."""
    cfg.update(work_dir=str(folder / 'work'), log_level='ERROR',
               experiment_name=folder.name)
    cfg.visualizer = None
    for part in ('train', 'val', 'test'):
        shrink_data(cfg[f'{part}_dataloader'], part == 'train')
    if cfg.train_cfg.get('max_iters'):
        cfg.train_cfg.update(max_iters=2, val_interval=2)
    else:
        cfg.train_cfg.update(max_epochs=1, val_interval=1)
    if 'CIFAR' in cfg.model.backbone['type']:
        cfg.model.backbone.depth = 8
    if 'WideResNet' in cfg.model.backbone['type']:
        cfg.model.backbone.depth = 10
    for head in (cfg.model.head, cfg.model.head.get('primary', {})):
        if head.get('num_classes') in (100, 200):
            head.num_classes = 10
    if cfg.model.backbone['type'] == 'ResNet':
        cfg.model.backbone.base_channels = 8
        for head in (cfg.model.head, cfg.model.head.primary):
            head.in_channels = 64
    for attack in cfg.test_cfg.get('attacks', {}).values():
        attack.num_steps = 1
    return cfg


def train(path, folder):
    """Train a reader's config, and test it where it attacks."""
    cfg = Config.fromfile(path)
    check_config_keys(cfg)
    runner = Runner.from_cfg(shrink(cfg, folder / path.stem))
    runner.train()
    assert runner.iter == 2
    assert (folder / path.stem / 'work' / 'result.json').is_file()
    if cfg.test_cfg.get('attacks'):
        metrics = runner.test()
        assert all(f'{name}/top1' in metrics for name in cfg.test_cfg.attacks)


def write_files(docs, page, folder):
    """Write the files of a page; returns the configs among them."""
    configs = []
    for kind, body in docs.snippets(page):
        name = docs.file.match(body)
        if kind == 'python' and name:
            (folder / name[1]).write_text(body)
            if '_base_' in body:
                configs.append(folder / name[1])
    return configs


def test_python(docs, page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    configs = write_files(docs, page, tmp_path)
    run = [body for kind, body in docs.snippets(page)
           if kind == 'python' and not docs.file.match(body)]
    scope = {}
    for body in (b for b in run if 'my_config.py' not in b):
        exec(compile(body, page, 'exec'), scope)
    for path in configs:
        train(path, tmp_path)
    for body in (b for b in run if 'my_config.py' in b):
        exec(compile(body, page, 'exec'), scope)


test_python.left_out = OWN_TEST


def test_there_is_something_to_run(docs):
    count = sum(bool(docs.file.match(body)) for page in docs.pages
                for kind, body in docs.snippets(page) if kind == 'python')
    assert count >= 12


@pytest.mark.slow
@pytest.mark.parametrize('page', STARTS)
def test_cheap_commands(docs, page, clone, run):
    (clone / 'results').symlink_to(docs.root / 'results')
    write_files(docs, page, clone)
    started = 0
    for kind, body in docs.snippets(page):
        if kind == 'python' and not docs.file.match(body):
            run(kind, body)
        for line in body.replace('\\\n', ' ').splitlines():
            if kind == 'bash' and re.search(STARTS[page], line):
                run('bash', f'export PYTHONPATH=.\n{line}')
                started += 1
    assert started
