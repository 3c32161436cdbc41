"""Names of accounts and of what they own, their hashes, and the tables that hold them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from _bulk.belongings import CLIENTS
from _bulk.people import People
from stillhunt.fingerprints.hashing import hash32, hash64
from stillhunt.records.account import ACCOUNT_SCHEMA
from stillhunt_simulator import settling
from stillhunt_simulator.clients import draw_client
from stillhunt_simulator.draws import mixed
from stillhunt_simulator.scenario import Scenario

IDENTITIES: pa.Schema = pa.schema(
    [
        pa.field("kind", pa.string(), nullable=False),
        pa.field("value", pa.int64(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
    ]
)
"""What a hash stands for."""

Ints = NDArray[np.int64]


def tokens(prefix: str, numbers: NDArray[np.int64], seed: int, ending: str = "") -> pa.Array:
    """Names that look random: a prefix and 14 hex digits, the same for the same number."""
    keys = mixed(numbers.astype(np.uint64) ^ mixed(np.full(1, seed, dtype=np.uint64)))
    text = keys.astype(">u8").tobytes().hex()
    return pa.array(
        [f"{prefix}{text[16 * i : 16 * i + 14]}{ending}" for i in range(len(numbers))], pa.string()
    )


def account_table(people: People, scenario: Scenario, seed: int) -> pa.Table:
    """The accounts table (ACCOUNT_SCHEMA), in the order of ``people``."""
    n = len(people)
    owner = [p.ownership for p in scenario.personas]
    declared = np.array([o.declared for o in owner])[people.persona]
    organization = tokens("org_", people.group, seed + 1)
    origin = int(scenario.start.timestamp() * 1e6)
    created = origin + (people.created * 1e6).astype(np.int64)
    columns = {
        "account": tokens("acct_", np.arange(n), seed),
        "organization": pa.array(
            organization.to_numpy(zero_copy_only=False), pa.string(), mask=~declared
        ),
        "created_at": pa.array(created, pa.timestamp("us", tz="UTC")),
        "payment": tokens("pm_", people.payment, seed + 2),
        "email_domain": _domains(people, seed),
        "tier": _taken(list(settling._TIERS), people.tier),
        "declared_use": _taken([o.declared_use for o in owner], people.persona),
        "licence": _taken([o.licence for o in owner], people.persona),
    }
    return pa.table([columns[f.name] for f in ACCOUNT_SCHEMA], schema=ACCOUNT_SCHEMA)


def _domains(people: People, seed: int) -> pa.Array:
    number = np.where(people.email < 0, -1 - np.arange(len(people)), people.email)
    private = tokens("d-", number, seed + 3, ".example").to_numpy(zero_copy_only=False)
    webmail = np.array([f"webmail{i}.example" for i in range(settling._WEBMAIL)], dtype=object)
    common = (number >= 0) & (number < settling._WEBMAIL)
    return pa.array(np.where(common, webmail[np.where(common, number, 0)], private), pa.string())


def _taken(values: list[str | None], which: Ints) -> pa.Array:
    return pa.array(values, pa.string()).take(pa.array(which))


def client_names(seed: int) -> tuple[pa.Array, pa.Array]:
    """User agents and TLS fingerprints of the client programs."""
    rng = np.random.default_rng(seed)
    drawn = [draw_client(rng) for _ in range(CLIENTS)]
    return pa.array([a for a, _ in drawn], pa.string()), pa.array(
        [t for _, t in drawn], pa.string()
    )


@dataclass(frozen=True, slots=True)
class Hashed:
    """Names and their hashes, as the package makes them.

    Attributes:
        account, organization: int64 (accounts,); organization 0 for none.
        agent, tls: int32 (clients,).
        accounts, organizations, agents: the names; organizations null for none.
    """

    account: Ints
    organization: Ints
    agent: NDArray[np.int32]
    tls: NDArray[np.int32]
    accounts: pa.Array
    organizations: pa.Array
    agents: pa.Array

    def identities(self, chosen: Ints, clients: Ints) -> pa.Table:
        """Distinct kind, hash and name of some accounts, of their organizations and clients.

        Args:
            chosen: numbers of accounts; clients: of client programs.
        """
        which = pa.array(chosen)
        organizations = np.unique(self.organization[chosen], return_index=True)[1]
        some = self.organizations.take(pa.array(chosen[organizations])).drop_null()
        agents = self.agents.take(pa.array(np.unique(clients))).unique()
        return pa.concat_tables(
            pa.table([pa.array([kind] * len(names), pa.string()), value, names], schema=IDENTITIES)
            for kind, value, names in (
                ("account", pa.array(self.account[chosen]), self.accounts.take(which)),
                ("organization", hash64(some, "organization"), some),
                ("agent", hash32(agents, "agent").cast(pa.int64()), agents),
            )
        )


def hashed(accounts: pa.Table, agents: pa.Array, tls: pa.Array) -> Hashed:
    """Hash the names in an accounts table, and those of client programs."""
    names = accounts.column("account").combine_chunks()
    organizations = accounts.column("organization").combine_chunks()
    return Hashed(
        np.asarray(hash64(names, "account")),
        np.asarray(hash64(organizations, "organization").fill_null(0)),
        np.asarray(hash32(agents, "agent")),
        np.asarray(hash32(tls, "tls")),
        names,
        organizations,
        agents,
    )
