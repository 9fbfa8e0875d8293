"""WRN-40-2 on attacked batches with the three gated pretext tasks.

The switches are those of the released adversarial code: a detached gate (D1) on
the mean of the probabilities (D2); 0.1 weights the pretext losses of training
and of the attack.
"""
_base_ = './wrn40-2_adversarial.py'

tasks = [
    dict(type='gssl_mm.LocalRotation'),
    dict(type='gssl_mm.LocalFlip', axis='horizontal'),
    dict(type='gssl_mm.LocalChannelPermutation')
]
model = dict(
    head=dict(
        _delete_=True,
        type='gssl_mm.GatedMultiTaskHead',
        primary=_base_.model.head,
        tasks=tasks,
        in_channels=128,
        gate=dict(
            type='gssl_mm.SoftmaxGate', grad='detached', reduce='prob_mean'),
        loss_weight=0.1),
    attack_ssl=0.1,
    data_preprocessor=dict(pretext=dict(tasks=tasks)))
