"""ONNX graphs of plain classifiers, by MMDeploy or by PyTorch alone."""
import functools
import importlib.util
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config

from .errors import (
    DeployConfigError,
    DeployDependencyError,
    UnsupportedOpsetError,
)
from .symbolics import register_symbolics

# What the exporter by tracing writes; MMDeploy's rewriters start at 11
OPSETS = range(11, 21)
INSTALL = 'pip install "gssl_mm[deploy]"'
INSTALL_MMDEPLOY = f'{INSTALL} && pip install --no-deps mmdeploy==1.3.1'


def require(module: str, install: str = INSTALL) -> None:
    """Raise an error that names the pip line unless a package is installed.

    Raises:
        DeployDependencyError: It is not.
    """
    if importlib.util.find_spec(module) is None:
        raise DeployDependencyError(
            f'exporting needs {module}, which is not installed. Run: {install}')


def check_opset(opset: Any) -> int:
    """Return an operator set that can be written.

    Raises:
        UnsupportedOpsetError: It can't.
    """
    if opset not in OPSETS:
        raise UnsupportedOpsetError(
            f'opset {opset} can not be written: allowed are {OPSETS[0]} to '
            f'{OPSETS[-1]}. Leave --opset out for that of the deploy config.')
    return int(opset)


def read_deploy_cfg(cfg: Config, opset: int | None = None) -> Config:
    """Check a deploy config and set its operator set.

    Args:
        cfg (Config): As MMDeploy reads it; not modified.
        opset (int, optional): Replaces the config's. Defaults to None.

    Raises:
        DeployConfigError: It does not describe an ONNX graph of classification
            with a fixed image size.
        UnsupportedOpsetError: The operator set can't be written.
    """
    cfg = Config(cfg.to_dict())
    onnx, codebase = (cfg.get(key) or {}
                      for key in ('onnx_config', 'codebase_config'))
    shape = onnx.get('input_shape')
    if (onnx.get('type') != 'onnx' or codebase.get('type') != 'mmpretrain'
            or not shape or len(shape) != 2):
        raise DeployConfigError(
            'expected a deploy config with onnx_config=dict(type="onnx", '
            'input_shape=[width, height], ...) and codebase_config=dict(type='
            '"mmpretrain", task="Classification"): see configs/deploy.')
    onnx['opset_version'] = check_opset(
        onnx.get('opset_version', 17) if opset is None else opset)
    return cfg


@contextmanager
def tracing_exporter() -> Iterator[None]:
    """Let callers of ``torch.onnx.export`` get the exporter by tracing.

    MMDeploy's call was written before PyTorch 2.9 made another the default.
    """
    original = torch.onnx.export
    torch.onnx.export = functools.partial(original, dynamo=False)
    try:
        yield
    finally:
        torch.onnx.export = original


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's thousands of lines about a failure to itself."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(stream) for stream in (1, 2)]
    with open(os.devnull, 'w') as sink:
        for stream in (1, 2):
            os.dup2(sink.fileno(), stream)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for stream, saved in zip((1, 2), kept, strict=True):
            os.dup2(saved, stream)
            os.close(saved)


@contextmanager
def _named_errors(opset: int) -> Iterator[None]:
    register_symbolics()
    try:
        with _quiet(), warnings.catch_warnings():
            warnings.simplefilter('ignore')
            yield
    except torch.onnx.errors.OnnxExporterError as error:
        text = str(error).split('\n')[0]
        raise UnsupportedOpsetError(
            f'the model can not be written with opset {opset}: {text} Try a '
            f'newer one, up to {OPSETS[-1]}.') from error


def export_by_torch(model: torch.nn.Module, path: Path, cfg: Config) -> None:
    """Write a graph from normalised images to logits, by PyTorch alone.

    Args:
        model (ImageClassifier): Plain, in evaluation mode.
        path (Path): The file to write.
        cfg (Config): As :func:`read_deploy_cfg` returns it.

    Raises:
        DeployDependencyError: The package ``onnx`` is missing.
        UnsupportedOpsetError: The operator set lacks what the model needs.
    """
    require('onnx')
    onnx = cfg.onnx_config
    width, height = onnx.input_shape
    names = onnx.input_names[0], 'logits'
    with _named_errors(onnx.opset_version), torch.no_grad():
        torch.onnx.export(
            model, (torch.zeros(2, 3, height, width), ), str(path),
            input_names=[names[0]], output_names=[names[1]],
            dynamic_axes={name: {0: 'batch'} for name in names},
            opset_version=onnx.opset_version, dynamo=False)


def export_by_mmdeploy(model_cfg: Config, weights: Path, path: Path,
                       cfg: Config) -> None:
    """Write a graph from normalised images to probabilities, by MMDeploy.

    Args:
        model_cfg (Config): A plain config.
        weights (Path): The plain classifier's checkpoint.
        path (Path): The file to write.
        cfg (Config): As :func:`read_deploy_cfg` returns it.

    Raises:
        DeployDependencyError: MMDeploy or ``onnx`` is missing.
        UnsupportedOpsetError: The operator set lacks what the model needs.
    """
    for module in ('onnx', 'mmdeploy'):
        require(module, INSTALL_MMDEPLOY)
    from mmdeploy.apis import torch2onnx
    width, height = cfg.onnx_config.input_shape
    image = np.zeros((height, width, 3), np.uint8)
    with _named_errors(cfg.onnx_config.opset_version), tracing_exporter():
        torch2onnx(image, str(path.parent), path.name, cfg, model_cfg,
                   str(weights), device='cpu')


__all__ = [
    'OPSETS', 'check_opset', 'export_by_mmdeploy', 'export_by_torch',
    'read_deploy_cfg', 'require', 'tracing_exporter'
]
