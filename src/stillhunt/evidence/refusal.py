"""Why a bundle is refused, in codes that programs can read."""

from __future__ import annotations

from enum import StrEnum

from stillhunt.evidence.failures import EvidenceError


class Code(StrEnum):
    """One for each way in which a bundle can be wrong."""

    CONTAINER_NOT_ZIP = "container-not-zip"
    CONTAINER_NOT_CANONICAL = "container-not-canonical"
    CONTAINER_MEMBER_UNKNOWN = "container-member-unknown"
    CONTAINER_MEMBER_ORDER = "container-member-order"
    CONTAINER_MEMBER_MISSING = "container-member-missing"
    CONTAINER_TOO_LARGE = "container-too-large"
    CONTAINER_DAMAGED = "container-damaged"
    JSON_NOT_CANONICAL = "json-not-canonical"
    JSON_TOO_LARGE = "json-too-large"
    ENVELOPE_MALFORMED = "envelope-malformed"
    ENVELOPE_SIGNATURE = "envelope-signature"
    SIGNER_UNKNOWN = "signer-unknown"
    STATEMENT_MALFORMED = "statement-malformed"
    STATEMENT_NUMBERS = "statement-numbers"
    FINDING_WORD = "finding-word"
    NAME_DECEPTIVE = "name-deceptive"
    MEMBER_DIGEST = "member-digest"
    CHECKPOINT_MALFORMED = "checkpoint-malformed"
    CHECKPOINT_SIGNATURE = "checkpoint-signature"
    COSIGNATURE_FORGED = "cosignature-forged"
    CHECKPOINT_COSIGNATURES = "checkpoint-cosignatures"
    CHECKPOINT_ORIGIN = "checkpoint-origin"
    CHECKPOINT_CONSISTENCY = "checkpoint-consistency"
    COMMIT_INCLUSION = "commit-inclusion"
    PERIOD_OUTSIDE = "period-outside"
    LEAVES_MALFORMED = "leaves-malformed"
    LEAVES_INCLUSION = "leaves-inclusion"
    LEAVES_TREE = "leaves-tree"
    LEAVES_ORDER = "leaves-order"
    LEAVES_TOKENS = "leaves-tokens"
    LEAVES_OUTSIDE_PERIOD = "leaves-outside-period"
    LEAVES_OUTSIDE_LOG = "leaves-outside-log"
    LEAVES_WRONG_ACCOUNT = "leaves-wrong-account"
    LEAVES_DUPLICATE = "leaves-duplicate"
    LEAVES_WRONG_EXCHANGE = "leaves-wrong-exchange"
    SALTS_REPEATED = "salts-repeated"
    PSEUDONYM_BINDING = "pseudonym-binding"
    SEED_MALFORMED = "seed-malformed"
    SEED_NOT_EXPECTED = "seed-not-expected"
    SEED_BEFORE_COMMITMENT = "seed-before-commitment"
    AUDIT_MALFORMED = "audit-malformed"
    AUDIT_TREE = "audit-tree"
    AUDIT_SELECTION = "audit-selection"
    AUDIT_UNANSWERED = "audit-unanswered"
    AUDIT_TOO_WEAK = "audit-too-weak"
    AUDIT_MISSING = "audit-missing"
    BATCH_RECORDS = "batch-records"
    TIMESTAMP = "timestamp"
    TIMESTAMP_MALFORMED = "timestamp-malformed"
    TIMESTAMP_NOT_GRANTED = "timestamp-not-granted"
    TIMESTAMP_OTHER_HASH = "timestamp-other-hash"
    TIMESTAMP_OTHER_DIGEST = "timestamp-other-digest"
    TIMESTAMP_OTHER_NONCE = "timestamp-other-nonce"
    TIMESTAMP_NO_CERTIFICATE = "timestamp-no-certificate"
    TIMESTAMP_NOT_AN_AUTHORITY = "timestamp-not-an-authority"
    TIMESTAMP_CERTIFICATE_EXPIRED = "timestamp-certificate-expired"
    TIMESTAMP_FUTURE = "timestamp-in-the-future"
    TIMESTAMP_UNTRUSTED = "timestamp-untrusted"
    TOTALS_MALFORMED = "totals-malformed"
    TOTALS_INCLUSION = "totals-inclusion"
    TOTALS_ACCOUNT = "totals-account"
    TOTALS_BINDING = "totals-binding"
    TOTALS_UNANSWERED = "totals-unanswered"
    NOT_REPRODUCED = "not-reproduced"
    OPENING = "opening"
    OPENED_MALFORMED = "opened-malformed"
    OPENED_TREE = "opened-tree"
    OPENED_COMMITMENT = "opened-commitment"
    README = "readme"


class Refused(EvidenceError):  # noqa: N818 - what happens to the bundle
    """Something in a bundle is not as it must be.

    Attributes:
        code: which of the known ways.
    """

    def __init__(self, code: Code, problem: str, remedy: str = "") -> None:
        super().__init__(problem, remedy or "Do not rely on this bundle; ask for it again.")
        self.code = code
