"""A store: its header, and what it holds."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson

from stillhunt.errors import InputError, OutputError
from stillhunt.records.observation import OBSERVATION_VERSION
from stillhunt.store.durable import write_json
from stillhunt.store.layout import STORE_VERSION, Layout
from stillhunt.store.locks import reading, writing
from stillhunt.store.manifest import Transaction, commit, read_state
from stillhunt.store.sweep import sweep


class Store:
    """A folder of observations and the history that says which of its files count.

    Attributes:
        layout: where its files are; state: what it holds.
        pseudonymised: id of the key its names are pseudonyms under, or None: they are clear.
        lasting: False for one that ends with the hunt it was made for: nothing is forced to the disk.
        committed: called with the store and each transaction, when it holds.
    """

    def __init__(self, root: Path, header: dict[str, Any], *, lasting: bool = True) -> None:
        self.layout = Layout(root)
        self.pseudonymised: str | None = header.get("pseudonymised")
        self.lasting = lasting
        self.committed: Callable[[Store, Transaction], object] = lambda _store, _made: None
        self.state = read_state(self.layout.manifest)

    @property
    def root(self) -> Path:
        """Its folder."""
        return self.layout.root

    def commit(self, transaction: Transaction) -> None:
        """Make a transaction hold; see ``manifest.commit``."""
        self.state = commit(self.layout.manifest, self.state, transaction)
        self.committed(self, transaction)


def create_store(root: Path, pseudonymised: str | None = None, *, lasting: bool = True) -> Store:
    """Make an empty store.

    Args:
        root: a folder that does not exist, or is empty.
        pseudonymised: id of the pseudonymisation key.

    Raises:
        OutputError: the folder holds something, or cannot be made.
    """
    try:
        if root.is_dir() and any(not p.name.startswith(".") for p in root.iterdir()):
            raise OutputError(
                f"{root} holds files and is no store.", "Name a new or empty folder with --store."
            )
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        header = {
            "store": STORE_VERSION,
            "observation": OBSERVATION_VERSION,
            "created": datetime.now(UTC),
            "package": "stillhunt",
            "version": version("stillhunt"),
            "pseudonymised": pseudonymised,
        }
        Layout(root).manifest.mkdir()
        write_json(Layout(root).header, header)
    except OSError as error:
        raise OutputError(
            f"The store {root} cannot be made: {error.strerror}.",
            "Name another folder with --store.",
        ) from error
    return Store(root, header, lasting=lasting)


def open_store(root: Path) -> Store:
    """Open a store as it is now.

    Raises:
        InputError: the folder is no store, or one of another version.
    """
    header_file = Layout(root).header
    try:
        header = orjson.loads(header_file.read_bytes())
        versions = (header["store"], header["observation"])
    except FileNotFoundError as error:
        raise InputError(
            f"{root} is no store.", "Name a folder that stillhunt ingest made, with --store."
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"The store's {header_file} cannot be read.", "Restore that file from a backup."
        ) from error
    if versions != (STORE_VERSION, OBSERVATION_VERSION):
        raise InputError(
            f"The store {root} has version {versions[0]} with observations of version {versions[1]}; "
            f"this program reads {STORE_VERSION} with {OBSERVATION_VERSION}.",
            "Use the version of Stillhunt that made it, or take the logs into a new store.",
        )
    return Store(root, header)


@contextmanager
def store_to_write(root: Path, pseudonymised: str | None) -> Iterator[Store]:
    """Hold a store for writing, made where there is none, with the rest of killed runs swept away.

    Args:
        root: its folder.
        pseudonymised: id of the key that names are to be replaced under, or None.

    Raises:
        UsageError: another process is writing to it.
        InputError: it is no store, or its names were replaced under another key.
        OutputError: it cannot be written.
    """
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"The store {root} cannot be made: {error.strerror}.",
            "Name another folder with --store.",
        ) from error
    with writing(root):
        if Layout(root).header.exists():
            store = open_store(root)
        else:
            # A kill between making the folders and the header leaves an empty store.
            shutil.rmtree(Layout(root).manifest, ignore_errors=True)
            store = create_store(root, pseudonymised)
        check_key(store, pseudonymised)
        sweep(store.layout, store.state)
        yield store


@contextmanager
def store_to_read(root: Path) -> Iterator[Store]:
    """Open a store so that none of its files is deleted until the end.

    Raises:
        InputError: as ``open_store``.
    """
    if not Layout(root).header.exists():
        open_store(root)  # complains
    with reading(root):
        yield open_store(root)


def check_key(store: Store, pseudonymised: str | None) -> None:
    """Raise InputError where names in a store are replaced under another key than this one."""
    if store.pseudonymised != pseudonymised:
        raise InputError(
            f"The store {store.root} {_named(store.pseudonymised)}, and this run "
            f"{_named(pseudonymised)}.",
            "Use the key file that the store was begun with (--pseudonymise), or another store.",
        )


def _named(key: str | None) -> str:
    return "has clear names" if key is None else f"has pseudonyms under the key {key}"
