"""One of two gloo processes that train the toy task.

``python two_process_child.py CONFIG WORK_DIR OPTIONS.json``; the environment
says which process this is. With ``kill_at`` among the options both die in that
iteration.
"""
import json
import os
import signal
import sys
import warnings
from pathlib import Path


def main(config, work_dir, options):
    sys.path.insert(0, str(Path(__file__).parent))
    import mmpretrain.datasets
    import mmpretrain.evaluation
    import mmpretrain.models  # noqa: F401
    import torch
    import toy  # noqa: F401
    from mmengine.config import Config
    from mmengine.hooks import Hook
    from mmengine.runner import Runner

    from gssl_mm.engine import find_resumable_checkpoint
    torch.set_num_threads(1)
    torch.distributed.init_process_group('gloo')
    options = json.loads(options)
    kill_at = options.pop('kill_at', None)
    cfg = Config.fromfile(config)
    cfg.merge_from_dict(options)
    cfg.work_dir, cfg.launcher = work_dir, 'pytorch'
    cfg.model_wrapper_cfg = dict(
        type=options.get('wrapper', 'ChannelsLastDDP'),
        device_ids=None, broadcast_buffers=False)
    found = find_resumable_checkpoint(work_dir)
    if found is not None:
        cfg.resume, cfg.load_from = True, str(found)

    class Kill(Hook):

        def before_train_iter(self, runner, batch_idx, data_batch=None):
            if runner.iter == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    runner = Runner.from_cfg(cfg)
    runner.register_hook(Kill(), 'VERY_LOW')
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        runner.train()
    weight = runner.model.module.backbone.conv1.weight
    strides = [str(w.message) for w in caught if 'stride' in str(w.message)]
    report = dict(
        channels_last=not weight.is_contiguous(), strides=strides,
        seed=torch.initial_seed())
    rank = os.environ['RANK']
    Path(work_dir, f'report{rank}.json').write_text(json.dumps(report))
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()


if __name__ == '__main__':
    main(*sys.argv[1:])
