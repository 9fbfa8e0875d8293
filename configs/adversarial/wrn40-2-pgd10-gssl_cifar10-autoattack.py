"""Both protocols and AutoAttack for the G-SSL row of CIFAR-10.

Not a row of the papers: a test of what wrn40-2-pgd10-gssl_cifar10 trained.
Measured here: not yet.
Run: python tools/test.py configs/adversarial/wrn40-2-pgd10-gssl_cifar10-autoattack.py CHECKPOINT

Needs pip install -e ".[robust]". For another row add to its own config:
    --cfg-options test_cfg.attacks.autoattack.type=gssl_mm.AutoAttack
"""
_base_ = './wrn40-2-pgd10-gssl_cifar10.py'

test_cfg = dict(
    attacks=dict(autoattack=dict(type='gssl_mm.AutoAttack', eps=8 / 255)),
    # On the first images of the test set; all with None
    max_samples=dict(autoattack=500))
