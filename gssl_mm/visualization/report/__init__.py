from .looks import LookOptions, look
from .page import build_page, write_page

__all__ = ['LookOptions', 'build_page', 'look', 'write_page']
