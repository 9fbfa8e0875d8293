"""Which checkpoint is the best, without a moment in which none is."""
import os.path as osp

from mmengine.hooks import CheckpointHook as HostCheckpointHook


class BestCheckpoints(HostCheckpointHook):
    """The part of :class:`CheckpointHook` that keeps the best weights.

    The host deletes the former best before it writes the new one. Here the
    former one is put on the list of outdated files, which are deleted once a
    complete checkpoint names the new one.
    """

    def _best_paths(self) -> list:
        many = getattr(self, 'best_ckpt_path_dict', None)
        if many is not None:
            return list(many.values())
        return [getattr(self, 'best_ckpt_path', None)]

    def _save_best_checkpoint(self, runner, metrics) -> None:
        if not self.save_best:
            return
        if 'auto' in self.key_indicators:
            self._init_rule(self.rules, [next(iter(metrics))])
        for key, rule in zip(self.key_indicators, self.rules, strict=True):
            self._update_best(runner, key, rule, metrics)

    def _update_best(self, runner, key: str, rule: str, metrics) -> None:
        if key not in metrics:
            raise KeyError(
                f'CheckpointHook(save_best={key!r}): the validation has no '
                f'such metric. It returned {sorted(metrics)}.')
        single = len(self.key_indicators) == 1
        suffix = '' if single else f'_{key}'  # as the host names them
        info, score = runner.message_hub, metrics[key]
        best = info.get_info(f'best_score{suffix}', self.init_value_map[rule])
        if score is None or not self.is_better_than[key](score, best):
            return
        step = runner.epoch if self.by_epoch else runner.iter
        name = f'best_{key}_{self.filename_tmpl.format(step)}'
        path = self._path(name.replace('/', '_'))
        former = info.get_info(f'best_ckpt{suffix}')
        info.update_info(f'best_score{suffix}', score)
        info.update_info(f'best_ckpt{suffix}', path)
        if single:
            self.best_ckpt_path = path
        else:
            self.best_ckpt_path_dict[key] = path
        self._write(
            runner,
            osp.basename(path),
            save_optimizer=False,
            save_param_scheduler=False,
            meta=dict(epoch=runner.epoch, iter=runner.iter),
            by_epoch=False)
        if former and former != path:
            self._outdated.append(osp.basename(former))
        runner.logger.info(
            f'The best checkpoint with {score:0.4f} {key} is '
            f'saved to {osp.basename(path)}.')
