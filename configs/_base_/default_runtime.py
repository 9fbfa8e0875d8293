"""Hooks, logging and environment of every experiment."""
default_scope = 'mmpretrain'

default_hooks = dict(
    # One stacked copy of the logged values an interval; stops on NaN
    runtime_info=dict(type='gssl_mm.RuntimeInfoHook'),
    # Random draws depend on (seed, iteration) alone: exact resume
    step_seed=dict(type='gssl_mm.StepSeedHook'),
    data_check=dict(type='gssl_mm.DataCheckHook'),
    checkpoint_check=dict(type='gssl_mm.CheckpointCheckHook'),
    # Training counts for ShotAccuracy
    class_counts=dict(type='gssl_mm.ClassCountsHook'),
    # On a CPU: what a step freed serves the next
    heap=dict(type='gssl_mm.HeapHook'),
    # With compile=True, weights are updated eagerly
    eager_optimizer=dict(type='gssl_mm.EagerOptimizerHook'),
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50),
    param_scheduler=dict(type='ParamSchedulerHook'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    # One atomic checkpoint an epoch, after its validation
    checkpoint=dict(
        type='gssl_mm.CheckpointHook',
        interval=1,
        max_keep_ckpts=2,
        save_best='accuracy/top1'),
    # work_dir/gate_curves.json, where there is a gate
    gate_curves=dict(type='gssl_mm.GateCurvesHook'),
    # work_dir/result.json
    results=dict(type='gssl_mm.ResultsHook'),
    visualization=dict(type='VisualizationHook', enable=False))

env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'))

# TensorBoard: dict(type='TensorboardVisBackend') beside it
vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(type='UniversalVisualizer', vis_backends=vis_backends)

log_level = 'INFO'
load_from = None
resume = False
randomness = dict(seed=0)
