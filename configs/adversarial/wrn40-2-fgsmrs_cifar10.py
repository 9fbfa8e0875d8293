"""Single-step training (FGSM with a random start) of WRN-40-2 on CIFAR-10.

Not a row of the papers.
Measured here: not yet.
Run: TEST=1 tools/run_seeds.sh configs/adversarial/wrn40-2-fgsmrs_cifar10.py 0

The step is 1.25 eps, as in "Fast is better than free". If PGD-20 falls to 0 during
training it has overfitted to its own attack: lower the step.
"""
_base_ = './wrn40-2-pgd10_cifar10.py'

model = dict(
    attack=dict(
        type='gssl_mm.PGD', step_size=10 / 255, num_steps=1, center='clean'))
