"""From a trained model to a checked ONNX file."""
import hashlib
import importlib.util
import json
import os
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.config import Config

from .errors import DeployConfigError, ExportMismatchError
from .exporters import export_by_mmdeploy, export_by_torch, read_deploy_cfg
from .preprocess_graph import add_preprocess, network_reads_rgb
from .publish import PlainClassifier, to_plain_classifier

EXPORTERS = ('mmdeploy', 'torch')
BATCHES = (1, 3, 128)
TOLERANCE = 1e-5


class Exported(NamedTuple):
    """What :func:`export_model` returns."""

    graph: Path
    description: Path
    difference: float | None


def _write(plain: PlainClassifier, path: Path, cfg: Config,
           exporter: str) -> None:
    if exporter == 'torch':
        export_by_torch(plain.model, path, cfg)
        return
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / 'plain.pth'
        torch.save(dict(meta=plain.meta,
                        state_dict=plain.model.state_dict()), weights)
        export_by_mmdeploy(plain.config, weights, path, cfg)


def run_graph(path: str | os.PathLike, images: np.ndarray) -> np.ndarray:
    """Run a graph on a batch by ONNX Runtime on the CPU, with one thread."""
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        str(path), options, providers=['CPUExecutionProvider'])
    return session.run(None, {session.get_inputs()[0].name: images})[0]


@torch.no_grad()
def compare(plain: PlainClassifier, path: Path, size: tuple[int, int],
            images_in: bool, logits_out: bool) -> float:
    """Largest difference between a graph and its model on noise.

    Args:
        plain (PlainClassifier): The model.
        path (Path): The graph.
        size (tuple[int, int]): Width and height.
        images_in (bool): Whether the graph takes uint8 RGB images.
        logits_out (bool): Whether it returns logits, whose difference is
            relative to the largest one, where that is above 1.

    Raises:
        ExportMismatchError: It is above 1e-5 for 1, 3 or 128 images.
    """
    generator = torch.Generator().manual_seed(0)
    reads_rgb, worst = network_reads_rgb(plain.config), 0.
    for count in BATCHES:
        images = torch.randint(256, (count, size[1], size[0], 3),
                               generator=generator).to(torch.uint8)
        raw = images if reads_rgb else images.flip(3)
        # What reaches the preprocessor is turned round there when to_rgb is set
        turn = plain.config.data_preprocessor.get('to_rgb', False)
        raw = (raw.flip(3) if turn else raw).permute(0, 3, 1, 2)
        inputs = plain.model.data_preprocessor(
            dict(inputs=raw), False)['inputs']
        wanted = plain.model(inputs)
        wanted = wanted if logits_out else wanted.softmax(1)
        got = torch.from_numpy(run_graph(
            path, images.numpy() if images_in else inputs.numpy()))
        scale = max(1., float(wanted.abs().max()))
        worst = max(worst, float((wanted - got).abs().max()) / scale)
    if not worst <= TOLERANCE:
        raise ExportMismatchError(
            f'{path} differs from the model by {worst:.2e}, allowed is '
            f'{TOLERANCE}. Try another --opset or --exporter.')
    return worst


def _describe(plain: PlainClassifier, path: Path, cfg: Config,
              facts: dict) -> dict:
    preprocessor = plain.config.data_preprocessor
    classes = plain.meta['dataset_meta'].get('classes')
    return dict(
        graph=path.name,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        opset=cfg.onnx_config.opset_version,
        mean=preprocessor.get('mean'), std=preprocessor.get('std'),
        channels='RGB' if network_reads_rgb(plain.config) else 'BGR',
        classes=list(classes) if classes else None,
        trained_with=plain.meta['trained_with'],
        inference=plain.meta['inference'], ema=plain.meta['ema'], **facts)


def export_model(cfg: Config, checkpoint: str | os.PathLike,
                 deploy_cfg: Config, out_file: str | os.PathLike,
                 exporter: str = 'mmdeploy', with_preprocess: bool = False,
                 opset: int | None = None, **plain_options: Any) -> Exported:
    """Write the plain classifier of a model as ONNX with a dynamic batch.

    The graph is compared with the model in ONNX Runtime, where that is
    installed. A JSON file beside it says what goes in and comes out.

    Args:
        cfg (Config): What the checkpoint was trained with.
        checkpoint (str | PathLike): A local file.
        deploy_cfg (Config): See ``configs/deploy``.
        out_file (str | PathLike): The ONNX file to write.
        exporter (str): ``'mmdeploy'``: probabilities out; ``'torch'``, which
            needs ``torch`` and ``onnx`` alone: logits out. Defaults to
            ``'mmdeploy'``.
        with_preprocess (bool): uint8 RGB ``(N, H, W, 3)`` in, probabilities
            out, with either exporter. Defaults to False: normalised float32
            ``(N, 3, H, W)`` in.
        opset (int, optional): Operator set, 11 to 20. Defaults to None, the
            deploy config's.
        **plain_options: ``inference`` and ``ema`` of
            :func:`to_plain_classifier`.

    Raises:
        UnsupportedOpsetError: The operator set is unknown, or lacks what the
            model needs.
        DeployDependencyError: A package is missing.
        ExportMismatchError: The graph computes something else.
    """
    if exporter not in EXPORTERS:
        raise DeployConfigError(
            f'exporter must be one of {EXPORTERS}, but got {exporter!r}')
    deploy_cfg = read_deploy_cfg(deploy_cfg, opset)
    width, height = deploy_cfg.onnx_config.input_shape
    plain = to_plain_classifier(cfg, checkpoint, **plain_options)
    path = Path(out_file)
    path.parent.mkdir(parents=True, exist_ok=True)
    logits_out = exporter == 'torch'
    _write(plain, path, deploy_cfg, exporter)
    if with_preprocess:
        add_preprocess(str(path), plain.config.data_preprocessor,
                       network_reads_rgb(plain.config), (width, height),
                       logits_out)
        logits_out = False
    difference = None
    if importlib.util.find_spec('onnxruntime') is not None:
        difference = compare(plain, path, (width, height), with_preprocess,
                             logits_out)
    facts = dict(
        input=f'uint8 RGB (N, {height}, {width}, 3)' if with_preprocess else
        f'float32 (N, 3, {height}, {width}), (pixel - mean) / std',
        output='logits (N, K)' if logits_out else 'probabilities (N, K)',
        difference_to_pytorch=difference)
    description = path.with_suffix('.json')
    description.write_text(json.dumps(
        _describe(plain, path, deploy_cfg, facts), indent=2) + '\n')
    return Exported(path, description, difference)


__all__ = ['EXPORTERS', 'Exported', 'compare', 'export_model', 'run_graph']
