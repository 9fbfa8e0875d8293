"""Compare the model with the data before anything runs."""
from mmengine.hooks import Hook

from gssl_mm.registry import HOOKS


@HOOKS.register_module()
class DataCheckHook(Hook):
    """Refuse a head with another number of classes than the data.

    Every module of the model with a ``num_classes`` is compared with the
    classes in the dataset's ``metainfo``, or, where a pretext task takes the
    place of the labels, with the classes of that task. A number below 1 says
    that the module has no classifier.

    Raises:
        ValueError: If they differ.
    """

    def before_train(self, runner) -> None:
        """Check the training data."""
        self._check(runner, runner.train_dataloader.dataset)

    def before_val(self, runner) -> None:
        """Check the validation data."""
        self._check(runner, runner.val_dataloader.dataset)

    def before_test(self, runner) -> None:
        """Check the test data."""
        self._check(runner, runner.test_dataloader.dataset)

    @staticmethod
    def _check(runner, dataset) -> None:
        classes = getattr(dataset, 'metainfo', {}).get('classes')
        expected = len(classes or ())
        source = type(dataset).__name__
        preprocessor = getattr(runner.model, 'module',
                               runner.model).data_preprocessor
        if getattr(preprocessor, 'pretext_as_label', False):
            task = preprocessor.pretext.tasks[0]
            expected, source = task.num_classes, f'pretext task {task.name!r}'
        if not expected:
            return
        for name, module in runner.model.named_modules():
            found = getattr(module, 'num_classes', None)
            if isinstance(found, int) and 0 < found != expected:
                raise ValueError(
                    f'{name} ({type(module).__name__}) has num_classes={found},'
                    f' but {source} has {expected} classes. Set '
                    f'num_classes={expected}')
