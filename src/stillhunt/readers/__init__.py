"""Layer 2. From logs to the canonical Exchange: one file per format, and the quarantine."""

from stillhunt.readers.accounts import read_accounts
from stillhunt.readers.log_reader import NOTHING, LogReader, find_files
from stillhunt.readers.options import InputFile, ReadBatch, ReadOptions
from stillhunt.readers.quarantine import Quarantine
from stillhunt.readers.registry import log_formats

__all__ = [
    "NOTHING",
    "InputFile",
    "LogReader",
    "Quarantine",
    "ReadBatch",
    "ReadOptions",
    "find_files",
    "log_formats",
    "read_accounts",
]
