default_scope = 'mmpretrain'
total_batch_size = 8
max_epochs = 4
model = dict(
    type='ImageClassifier',
    backbone=dict(type='ToyNet'),
    head=dict(type='ToyHead', extra_log=True))
train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    dataset=dict(type='ToyData', size=40),
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='default_collate'))
val_dataloader = dict(
    batch_size=16,
    num_workers=0,
    dataset=dict(type='ToyData', size=32, seed=1),
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'))
val_evaluator = dict(type='Accuracy', topk=(1, ))
train_cfg = dict(by_epoch=True, max_epochs=max_epochs, val_interval=1)
val_cfg = dict()
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=1e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=6),
    dict(type='MultiStepLR', by_epoch=True, milestones=[2, 3])
]
default_hooks = dict(
    runtime_info=dict(type='gssl_mm.RuntimeInfoHook'),
    logger=dict(type='LoggerHook', interval=2),
    checkpoint=dict(
        type='gssl_mm.CheckpointHook', interval=1, max_keep_ckpts=2,
        save_best='accuracy/top1', rule='greater'))
custom_hooks = [
    dict(type='gssl_mm.StepSeedHook'),
    dict(type='gssl_mm.CheckpointCheckHook'),
    dict(type='gssl_mm.ResultsHook'),
]
randomness = dict(seed=3)
log_level = 'WARNING'
