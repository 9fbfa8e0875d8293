"""LoRot + flip + permutation without a gate (plain sum) on CIFAR-100-LT, ratio 0.05.

Not a row of the papers.
Measured here: not yet.
Run: tools/run_seeds.sh configs/gssl/resnet32-nogate_cifar100lt-r0.05.py 0
"""
_base_ = './resnet32-nogate_cifar100lt.py'

train_dataloader = dict(dataset=dict(imbalance_ratio=0.05))
