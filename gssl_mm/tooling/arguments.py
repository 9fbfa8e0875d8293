"""Options that the tools share, as the host's tools have them."""
import argparse
import ast
import os

from mmengine.config import DictAction

CFG_OPTIONS_HELP = (
    'override some settings in the used config, the key-value pair in '
    'xxx=yyy format will be merged into config file. If the value to be '
    'overwritten is a list, it should be like key="[a,b]" or key=a,b. It also '
    'allows nested list/tuple values, e.g. key="[(a,b),(c,d)]". Note that the '
    'quotation marks are necessary and that no white space is allowed. A key '
    'that nothing reads is refused.')
CONFIG_HELP = ('config file path, or gssl_mm::gssl/NAME.py for one that the '
               'package carries')


# Keys of free text, in which a comma makes no list
TEXTS = ('result_label', )


class CfgOptions(DictAction):
    """The host's action, with usage errors for what it cannot read.

    And with the spaces of a text kept, which the host takes out, keys whose
    text is taken as it stands, and values with dictionaries, in Python's
    notation.
    """

    @staticmethod
    def _parse_iterable(val: str):
        if '{' in val:
            return ast.literal_eval(val)
        if any(mark in val for mark in ',[]()'):
            return DictAction._parse_iterable(val)
        return DictAction._parse_int_float_bool(val.strip('\'"'))

    def __call__(self, parser, namespace, values, option_string=None):
        """Parse ``key=value`` words."""
        for word in values or []:
            if '=' not in word:
                parser.error(f'{option_string}: expected key=value, got '
                             f'{word!r}')
            key, _, text = word.partition('=')
            if key in TEXTS:
                found = getattr(namespace, self.dest, None) or {}
                setattr(namespace, self.dest, {**found, key: text.strip('\'"')})
                continue
            try:
                super().__call__(parser, namespace, [word], option_string)
            except (RecursionError, AssertionError, SyntaxError, ValueError):
                parser.error(
                    f'{option_string}: cannot read the value of {word!r}. '
                    'Lists are written [a,b], dictionaries '
                    "{'type':'Name','key':1}, both in quotes for the shell.")


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add ``--no-pin-memory --cfg-options --launcher --local-rank``."""
    parser.add_argument(
        '--no-pin-memory', action='store_true',
        help='whether to disable the pin_memory option in dataloaders.')
    parser.add_argument('--cfg-options', nargs='+', action=CfgOptions,
                        help=CFG_OPTIONS_HELP)
    parser.add_argument(
        '--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none', help='job launcher')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)


def parse(parser: argparse.ArgumentParser,
          argv: list[str] | None = None) -> argparse.Namespace:
    """Parse, and export the local rank that a launcher gave as an option."""
    args = parser.parse_args(argv)
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


__all__ = ['CONFIG_HELP', 'CfgOptions', 'add_common', 'parse']
