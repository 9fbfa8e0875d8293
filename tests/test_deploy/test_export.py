"""Exported graphs compute what the trained model does."""
import copy
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image

from gssl_mm.apis import ImageInferencer, get_model
from gssl_mm.deploy import (
    DeployConfigError,
    DeployDependencyError,
    ExportMismatchError,
    UnsupportedOpsetError,
    exporters,
)
from gssl_mm.deploy import export as export_module
from gssl_mm.deploy.export import export_model

CONFIGS = Path(__file__).resolve().parents[2] / 'configs' / 'deploy'
SHIPPED = {size: CONFIGS / f'classification_onnxruntime_dynamic_{size}x{size}'
           '.py' for size in (32, 64, 224)}
KINDS = ('plain', 'gated', 'ldam-cosine', 'ft-single', 'ft-aggregated',
         'ft-cosine-aggregated', 'sla-aggregated', 'adversarial')
DEPLOYED = ('plain', 'ldam-cosine', 'ft-single', 'ft-aggregated')


def needs(*modules):
    absent = [m for m in modules if importlib.util.find_spec(m) is None]
    return pytest.mark.skipif(
        bool(absent), reason=f'{absent} not installed: pip install ".[deploy]"'
        ' && pip install --no-deps mmdeploy==1.3.1')


onnx = needs('onnx', 'onnxruntime')
mmdeploy = needs('onnx', 'onnxruntime', 'mmdeploy')


@pytest.fixture
def deploy_cfg():
    return Config.fromfile(SHIPPED[32])


def run(path, name, value):
    import onnxruntime
    session = onnxruntime.InferenceSession(
        str(path), providers=['CPUExecutionProvider'])
    assert [i.name for i in session.get_inputs()] == [name]
    return torch.from_numpy(session.run(None, {name: value.numpy()})[0])


def normalised(done, images):
    """What the description says of the input, done by hand."""
    said = json.loads(done.description.read_text())
    planes = images.permute(0, 3, 1, 2).float()
    assert said['channels'] == 'RGB'
    mean, std = (torch.tensor(said[key]).view(1, 3, 1, 1)
                 for key in ('mean', 'std'))
    return (planes - mean) / std


def check(trained_run, done, images, logits):
    for count in (1, 3, 128):
        batch = images(count)
        wanted = trained_run.logits(batch)
        wanted = wanted if logits else wanted.softmax(1)
        assert wanted.std() > 0.005
        got = run(done.graph, 'input', normalised(done, batch))
        assert got.shape == wanted.shape
        assert (got - wanted).abs().max() <= 1e-5
    assert done.difference <= 1e-5


@onnx
@pytest.mark.parametrize('kind', KINDS)
def test_logits_by_torch_alone(kind, trained, images, deploy_cfg, tmp_path):
    model = trained(kind)
    done = export_model(model.cfg, model.checkpoint, deploy_cfg,
                        tmp_path / 'm.onnx', 'torch')
    check(model, done, images, logits=True)


def by_mmdeploy(model, images, deploy_cfg, tmp_path, **options):
    done = export_model(model.cfg, model.checkpoint, deploy_cfg,
                        tmp_path / 'm.onnx', **options)
    check(model, done, images, logits=False)


@mmdeploy
def test_probabilities_by_mmdeploy(trained, images, deploy_cfg, tmp_path):
    by_mmdeploy(trained('gated'), images, deploy_cfg, tmp_path)


@mmdeploy
@pytest.mark.slow
@pytest.mark.parametrize('kind', DEPLOYED)
def test_other_models_by_mmdeploy(kind, trained, images, deploy_cfg, tmp_path):
    by_mmdeploy(trained(kind), images, deploy_cfg, tmp_path)


@mmdeploy
@pytest.mark.slow
@pytest.mark.parametrize('opset', [11, 20])
def test_ends_of_the_range_of_opsets(opset, trained, images, deploy_cfg,
                                     tmp_path):
    import onnx
    by_mmdeploy(trained('gated'), images, deploy_cfg, tmp_path, opset=opset)
    graph = onnx.load(tmp_path / 'm.onnx')
    assert graph.opset_import[0].version == opset


@mmdeploy
@pytest.mark.slow
def test_mmdeploy_reads_a_training_config(trained, images, tmp_path):
    """Its own function on what was trained, not on what is published."""
    from mmdeploy.apis import torch2onnx
    model = trained('gated')
    cfg = model.cfg.copy()
    cfg.default_scope = 'mmpretrain'
    cfg.test_pipeline = cfg.test_dataloader.dataset.pipeline
    with exporters.tracing_exporter():
        torch2onnx(np.zeros((32, 32, 3), np.uint8), str(tmp_path), 'm.onnx',
                   str(SHIPPED[32]), cfg, str(model.checkpoint), device='cpu')
    batch = images(3)
    data = dict(inputs=batch.permute(0, 3, 1, 2))
    inputs = model.model.data_preprocessor(data, False)['inputs'].contiguous()
    got = run(tmp_path / 'm.onnx', 'input', inputs)
    assert (got - model.logits(batch).softmax(1)).abs().max() <= 1e-5


@onnx
@pytest.mark.parametrize('kind', ['gated', 'adversarial'])
def test_a_picture_goes_in_as_it_is(kind, trained, images, deploy_cfg,
                                    tmp_path):
    model = trained(kind)
    done = export_model(
        model.cfg, model.checkpoint, deploy_cfg, tmp_path / 'm.onnx', 'torch',
        with_preprocess=True)
    batch = images(3)
    wanted = model.logits(batch).softmax(1)
    assert (run(done.graph, 'images', batch) - wanted).abs().max() <= 1e-5
    # As the inferencer has it, from the file
    Image.fromarray(batch[0].numpy()).save(tmp_path / 'p.png')
    scores = ImageInferencer(get_model(model.cfg, model.checkpoint))(
        tmp_path / 'p.png')[0]['pred_scores']
    pixels = np.asarray(Image.open(tmp_path / 'p.png'))[None]
    got = run(done.graph, 'images', torch.from_numpy(pixels.copy()))[0]
    np.testing.assert_allclose(got, scores, atol=1e-5)
    assert 'uint8 RGB' in json.loads(done.description.read_text())['input']


@onnx
@pytest.mark.parametrize('files, to_rgb, rgb', [
    (False, False, True), (False, True, False), (True, False, False),
    (True, True, True)])
def test_the_order_of_channels_follows_the_config(
        files, to_rgb, rgb, trained, images, deploy_cfg, tmp_path):
    model = trained('plain')
    cfg = copy.deepcopy(model.cfg)
    cfg.model.data_preprocessor.to_rgb = to_rgb
    if files:
        cfg.test_dataloader.dataset.pipeline = [
            dict(type='LoadImageFromFile'), dict(type='PackInputs')]
    done = export_model(cfg, model.checkpoint, deploy_cfg,
                        tmp_path / 'm.onnx', 'torch', with_preprocess=True)
    batch = images(2)
    wanted = model.logits(batch if rgb else batch.flip(3)).softmax(1)
    assert (run(done.graph, 'images', batch) - wanted).abs().max() <= 1e-5


@onnx
def test_an_opset_that_lacks_an_operator(trained, deploy_cfg, tmp_path, capfd):
    model = trained('ft-aggregated')
    with pytest.raises(UnsupportedOpsetError, match='einsum.*up to 20'):
        export_model(model.cfg, model.checkpoint, deploy_cfg,
                     tmp_path / 'm.onnx', 'torch', opset=11)
    assert len(''.join(capfd.readouterr())) < 2000


@pytest.mark.parametrize('opset', [10, 21, 999])
def test_an_unknown_opset(opset, deploy_cfg):
    with pytest.raises(UnsupportedOpsetError, match=f'{opset}.*11 to 20'):
        exporters.read_deploy_cfg(deploy_cfg, opset)


@pytest.mark.parametrize('change', [
    dict(onnx_config=dict(type='torchscript')),
    dict(onnx_config=dict(input_shape=None)),
    dict(codebase_config=dict(type='mmdet'))])
def test_another_deploy_config_is_refused(change, deploy_cfg):
    deploy_cfg.merge_from_dict(change)
    with pytest.raises(DeployConfigError, match='configs/deploy'):
        exporters.read_deploy_cfg(deploy_cfg)


def test_a_missing_package_is_named(monkeypatch, trained, deploy_cfg,
                                    tmp_path):
    monkeypatch.setattr(
        exporters.importlib.util, 'find_spec', lambda name: None)
    model = trained('plain')
    for exporter, words in (('torch', r'onnx.*\[deploy\]'),
                            ('mmdeploy', '--no-deps mmdeploy==1.3.1')):
        with pytest.raises(DeployDependencyError, match=words):
            export_model(model.cfg, model.checkpoint, deploy_cfg,
                         tmp_path / 'm.onnx', exporter)


@onnx
def test_a_graph_that_computes_something_else(monkeypatch, trained, deploy_cfg,
                                              tmp_path):
    right = export_module.run_graph
    monkeypatch.setattr(export_module, 'run_graph',
                        lambda *args: right(*args) + 2e-4)
    model = trained('plain')
    with pytest.raises(ExportMismatchError, match='1e-05'):
        export_model(model.cfg, model.checkpoint, deploy_cfg,
                     tmp_path / 'm.onnx', 'torch')


@pytest.mark.parametrize('size', SHIPPED)
def test_shipped_deploy_configs(size):
    cfg = Config.fromfile(SHIPPED[size])
    assert list(cfg.onnx_config.input_shape) == [size, size]
    assert cfg.onnx_config.dynamic_axes['input'] == {0: 'batch'}
    assert exporters.read_deploy_cfg(cfg).onnx_config.opset_version == 17
    assert set(CONFIGS.glob('*.py')) == set(SHIPPED.values())
