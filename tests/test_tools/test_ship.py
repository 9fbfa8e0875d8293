"""The tools that publish, export and predict, as a user starts them."""
import csv
import importlib.util
import json

import numpy as np
import pytest
import torch
from PIL import Image

from gssl_mm.tooling import errors, export, predict, publish

TOOLS = ('predict.py', 'deploy/export.py', 'model_converters/publish_model.py',
         'analysis/write_metafiles.py')


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / 'pictures'
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(3):
        image = rng.integers(0, 256, (40, 40, 3)).astype('uint8')
        Image.fromarray(image).save(folder / f'{i}.png')
    return folder


def call(main, *argv):
    return errors.run_tool(lambda: main([str(a) for a in argv]))


def test_predict_writes_csv(run_tool, pictures, tmp_path):
    done = run_tool('predict.py', 'gssl_demo', '--images', pictures, '--out',
                    tmp_path / 'new' / 'p.csv', '--batch-size', '2',
                    '--all-scores')
    assert done.returncode == 0, done.stderr
    with open(tmp_path / 'new' / 'p.csv') as stream:
        rows = list(csv.DictReader(stream))
    assert [r['image'] for r in rows] == [
        str(pictures / f'{i}.png') for i in range(3)]
    for row in rows:
        scores = {k[6:]: float(v) for k, v in row.items()
                  if k.startswith('score_')}
        assert abs(sum(scores.values()) - 1) < 1e-4
        assert max(scores, key=scores.get) == row['class']
        assert float(row['score']) == max(scores.values())


def test_predictions_on_standard_output(pictures, capsys):
    assert call(predict.main, 'gssl_demo', '--images', pictures / '0.png',
                pictures / '2.png', '--device', 'cpu') in (0, None)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(',')[0] for line in lines] == [
        'image', str(pictures / '0.png'), str(pictures / '2.png')]


@pytest.mark.parametrize('argv, words', [
    (['gssl_demo', '--images', 'gone'], ['FileNotFoundError', 'gone']),
    (['gssl_demo', '--images', 'bad.png'], ['NotAnImageError', 'bad.png']),
    (['gssl_dem', '--images', 'ok.png'], ['UnknownModelError', 'gssl_demo']),
    (['gssl_demo', 'gone.pth', '--images', 'ok.png'],
     ['CheckpointFileError', 'gone.pth']),
    (['gssl_demo', 'other.pth', '--images', 'ok.png'],
     ['ArchitectureMismatchError', 'other.pth']),
    (['resnet32_cifar10lt', '--images', 'ok.png'], ['without weights']),
    (['gssl_demo', '--images', 'ok.png', '--batch-size', '0'],
     ['OptionError', 'at least 1']),
])
def test_predict_refuses(argv, words, pictures, monkeypatch, capsys):
    monkeypatch.chdir(pictures)
    monkeypatch.delenv('GSSL_MM_TRACEBACK', raising=False)
    (pictures / '0.png').rename('ok.png')
    (pictures / 'bad.png').write_text('no image')
    torch.save(dict(state_dict=dict(w=torch.zeros(1))), 'other.pth')
    assert call(predict.main, *argv) == 2
    message = capsys.readouterr().err
    assert all(word in message for word in words), message


@pytest.mark.skipif(
    not importlib.util.find_spec('onnx'),
    reason='onnx not installed: pip install ".[deploy]"')
def test_export_and_its_description(run_tool, tmp_path):
    done = run_tool('deploy/export.py', 'gssl_demo', '--exporter', 'torch',
                    '--with-preprocess', '--out', tmp_path / 'e' / 'demo.onnx')
    assert done.returncode == 0, done.stderr
    said = json.loads((tmp_path / 'e' / 'demo.json').read_text())
    assert said['input'] == 'uint8 RGB (N, 32, 32, 3)'
    assert said['difference_to_pytorch'] <= 1e-5
    assert len(said['classes']) == 10
    assert 'from PyTorch (1, 3, 128 images)' in done.stdout


@pytest.mark.parametrize('argv, words', [
    (['gssl_demo', '--opset', '99'], ['UnsupportedOpsetError', '11 to 20']),
    (['gssl_demo', '--deploy-cfg', 'configs/gone.py'], ['ConfigFileError']),
    (['gssl_demo', '--inference', 'single'], ['PublishError']),
    (['resnet32_cifar10lt'], ['OptionError', 'give a checkpoint']),
    (['gssl_demo', '--cfg-options',
      'test_dataloader.dataset.pipeline.0.size=48'], ['48x48']),
])
def test_export_refuses(argv, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv('GSSL_MM_TRACEBACK', raising=False)
    assert call(export.main, *argv) == 2
    message = capsys.readouterr().err
    assert all(word in message for word in words), message


def test_publish_says_what_it_did(tmp_path, capsys):
    cfg, entry = export.find_model('gssl_demo', None)
    assert call(publish.main, cfg.filename, entry, tmp_path / 'again') in (
        0, None)
    out = capsys.readouterr().out
    weights, = tmp_path.glob('again-*.pth')
    assert str(weights) in out and 'trained weights, logits differ' in out
    assert weights.with_suffix('.py').is_file()


@pytest.mark.slow
@pytest.mark.parametrize('tool', TOOLS)
def test_help(tool, run_tool):
    done = run_tool(tool, '--help')
    assert done.returncode == 0
    assert f'python tools/{tool}' in done.stdout
