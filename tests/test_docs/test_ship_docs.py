"""The snippets of the pages on predicting and exporting run in order."""
import importlib.util

import pytest

PAGES = {'inference': (), 'export': ('onnx', 'onnxruntime', 'mmdeploy')}
# What the page on predicting takes as given: a short run of the demo's config
TRAIN_LDAM = '''
python tools/train.py configs/gssl/demo_ldamdrw_synthetic.py \\
    --work-dir work_dirs/demo_ldamdrw_synthetic --cfg-options \\
    train_dataloader.dataset.imbalance_ratio=0.1 \\
    train_dataloader.dataset.dataset.num_per_class=20 \\
    val_dataloader.dataset.num_per_class=2
'''


def runnable(docs, name):
    """The snippets of a page; installing is CI's."""
    return [(kind, body) for kind, body in docs.snippets(f'docs/{name}.md')
            if not body.startswith('pip install')]


@pytest.mark.slow
@pytest.mark.parametrize('name', PAGES)
def test_snippets(name, docs, clone, run):
    for module in PAGES[name]:
        if importlib.util.find_spec(module) is None:
            pytest.skip(f'{module} is not installed: see docs/export.md')
    if name == 'inference':
        run('bash', TRAIN_LDAM)
    else:
        run(*runnable(docs, 'inference')[0])
    found = runnable(docs, name)
    assert len(found) >= 4
    for kind, body in found:
        run(kind, body)
    made = {'inference': ('predictions.csv', 'published'),
            'export': ('demo.onnx', 'exported/end2end.onnx')}
    assert all((clone / file).exists() for file in made[name])
