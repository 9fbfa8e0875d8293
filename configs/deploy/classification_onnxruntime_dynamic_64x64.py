"""MMDeploy: ONNX with a dynamic batch of 64x64 images.

Run: python tools/deploy/export.py CONFIG CHECKPOINT --deploy-cfg <this file>
"""
_base_ = '../_base_/deploy/classification_onnxruntime.py'

onnx_config = dict(input_shape=[64, 64])
