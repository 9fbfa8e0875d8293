"""Preprocessing and softmax as a part of an ONNX graph."""
from collections.abc import Sequence
from typing import Any

import numpy as np

from .errors import DeployConfigError

IMAGES, PROBABILITIES = 'images', 'probabilities'


def network_reads_rgb(cfg: Any) -> bool:
    """Whether the network of a plain config was trained on RGB images.

    Arrays of this package's datasets, and files after ``RGBImage``, are RGB;
    other files are decoded as BGR; ``to_rgb`` of the data preprocessor turns
    them round.

    Args:
        cfg (Config): A plain config, as ``plain_config`` makes it.
    """
    steps = [step['type'] for step in
             cfg.test_dataloader.dataset.get('pipeline') or []]
    bgr = any(step.endswith('LoadImageFromFile') for step in steps)
    bgr = bgr and not any(step.endswith('RGBImage') for step in steps)
    return bgr == bool(cfg.data_preprocessor.get('to_rgb', False))


def _constants(preprocessor: dict) -> tuple[np.ndarray, np.ndarray]:
    if preprocessor.get('pad_size_divisor', 1) > 1:
        raise DeployConfigError(
            'the data preprocessor pads images (pad_size_divisor): padding is '
            'not written into the graph. Export without --with-preprocess.')
    values = [preprocessor.get(key) for key in ('mean', 'std')]
    mean, std = (np.asarray(default if value is None else value, np.float32)
                 for value, default in zip(values, ((0, ) * 3, (1, ) * 3),
                                           strict=True))
    return mean.reshape(1, -1, 1, 1), std.reshape(1, -1, 1, 1)


def _reads(mean: np.ndarray, std: np.ndarray, rgb: bool,
           target: str) -> tuple[list, list]:
    """Nodes from uint8 images to the network's input, and their constants."""
    from onnx import TensorProto, helper, numpy_helper
    order = np.arange(3) if rgb else np.arange(3)[::-1]
    constants = [numpy_helper.from_array(np.ascontiguousarray(value), name)
                 for name, value in (('preprocess_order', order),
                                     ('preprocess_mean', mean),
                                     ('preprocess_std', std))]
    steps = [
        helper.make_node('Transpose', [IMAGES], ['preprocess_planes'],
                         perm=[0, 3, 1, 2]),
        helper.make_node('Gather', ['preprocess_planes', 'preprocess_order'],
                         ['preprocess_ordered'], axis=1),
        helper.make_node('Cast', ['preprocess_ordered'],
                         ['preprocess_float'], to=TensorProto.FLOAT),
        helper.make_node('Sub', ['preprocess_float', 'preprocess_mean'],
                         ['preprocess_centred']),
        helper.make_node('Div', ['preprocess_centred', 'preprocess_std'],
                         [target])]
    return steps, constants


def add_preprocess(path: str, preprocessor: dict, rgb: bool,
                   size: tuple[int, int], softmax: bool) -> None:
    """Rewrite a graph to take uint8 RGB images and return probabilities.

    Args:
        path (str): File of a graph with one input ``(N, 3, H, W)`` and one
            output ``(N, K)``; replaced.
        preprocessor (dict): Config of the data preprocessor.
        rgb (bool): Whether the network reads RGB.
        size (tuple[int, int]): W and H.
        softmax (bool): Whether the output is logits.

    Shape:
        - images: uint8 ``(N, H, W, 3)``, RGB.
        - probabilities: float32 ``(N, K)``.

    Raises:
        DeployConfigError: The data preprocessor pads.
    """
    import onnx
    from onnx import TensorProto, helper
    mean, std = _constants(preprocessor)
    model = onnx.load(path)
    graph = model.graph
    old_input, old_output = graph.input[0].name, graph.output[0]
    classes = old_output.type.tensor_type.shape.dim[1].dim_value
    steps, constants = _reads(mean, std, rgb, old_input)
    options = dict(op_type='Softmax', axis=1) if softmax else dict(
        op_type='Identity')
    last = helper.make_node(inputs=[old_output.name], outputs=[PROBABILITIES],
                            **options)
    nodes = [*steps, *graph.node, last]
    new = helper.make_graph(
        nodes, graph.name,
        [_value(IMAGES, TensorProto.UINT8, ['batch', size[1], size[0], 3])],
        [_value(PROBABILITIES, TensorProto.FLOAT, ['batch', classes or 'k'])],
        [*graph.initializer, *constants])
    graph.CopyFrom(new)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _value(name: str, kind: int, shape: Sequence) -> Any:
    from onnx import helper
    return helper.make_tensor_value_info(name, kind, shape)


__all__ = ['add_preprocess', 'network_reads_rgb']
