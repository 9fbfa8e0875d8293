"""MMDeploy: ONNX with a dynamic batch of 224x224 images.

Run: python tools/deploy/export.py CONFIG CHECKPOINT --deploy-cfg <this file>
"""
_base_ = '../_base_/deploy/classification_onnxruntime.py'

onnx_config = dict(input_shape=[224, 224])
