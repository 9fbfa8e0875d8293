"""Classification with ONNX Runtime: any number of images, probabilities out."""
onnx_config = dict(
    type='onnx',
    export_params=True,
    keep_initializers_as_inputs=False,
    opset_version=17,
    save_file='end2end.onnx',
    input_names=['input'],
    output_names=['output'],
    dynamic_axes=dict(input={0: 'batch'}, output={0: 'batch'}),
    optimize=True)
codebase_config = dict(type='mmpretrain', task='Classification')
backend_config = dict(type='onnxruntime')
