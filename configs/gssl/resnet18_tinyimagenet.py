"""G-SSL (LoRot + flip + permutation, gated): ResNet-18 on Tiny-ImageNet.

G-SSL paper, Table 3: 67.41 (best epoch).
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet18_tinyimagenet.py 0

D12: the released code crops from a border of 4 pixels, the paper names the
augmentation of its mixup rows: the -rrc leaf has that.

The switches are those of the released code (D1, D2). The gate is Figure 6:
tools/visualization/plot_gate.py work_dirs/resnet18_tinyimagenet/seed0
"""
_base_ = [
    '../_base_/models/resnet18_gssl.py', '../_base_/datasets/tinyimagenet.py',
    '../_base_/schedules/tiny_400e.py', '../_base_/default_runtime.py'
]
