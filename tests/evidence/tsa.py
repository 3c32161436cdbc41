"""A time stamping authority for tests: keys, certificates and replies, assembled here byte by byte."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def der(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    size = len(body)
    if size < 128:
        return bytes([tag, size]) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def sequence(*parts: bytes) -> bytes:
    return der(0x30, *parts)


def set_of(*parts: bytes, tag: int = 0x31) -> bytes:
    return der(tag, *sorted(parts))


def integer(value: int) -> bytes:
    return der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def oid(dotted: str) -> bytes:
    first, second, *rest = (int(part) for part in dotted.split("."))
    body = bytearray([40 * first + second])
    for number in rest:
        digits = [number & 0x7F]
        while number := number >> 7:
            digits.append(0x80 | number & 0x7F)
        body += bytes(reversed(digits))
    return der(0x06, bytes(body))


SHA256 = sequence(oid("2.16.840.1.101.3.4.2.1"), der(0x05))
SHA512 = sequence(oid("2.16.840.1.101.3.4.2.3"), der(0x05))
ECDSA = sequence(oid("1.2.840.10045.4.3.2"))
TST_INFO = oid("1.2.840.113549.1.9.16.1.4")


def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


@dataclass
class Authority:
    """A root and one signer under it.

    Attributes:
        begins, ends: validity of the signer's certificate.
        uses: its extended key usage; none for no such extension.
    """

    title: str = "Test Time Stamping"
    begins: datetime = NOON - timedelta(days=30)
    ends: datetime = NOON + timedelta(days=30)
    uses: tuple[x509.ObjectIdentifier, ...] = (ExtendedKeyUsageOID.TIME_STAMPING,)
    critical: bool = True
    root_key: ec.EllipticCurvePrivateKey = field(default_factory=key)
    signer_key: ec.EllipticCurvePrivateKey = field(default_factory=key)
    root: x509.Certificate = field(init=False)
    signer: x509.Certificate = field(init=False)

    def __post_init__(self) -> None:
        year = timedelta(days=365)
        issuer = name(f"{self.title} Root")
        ca = (
            x509.CertificateBuilder()
            .subject_name(issuer)
            .issuer_name(issuer)
            .public_key(self.root_key.public_key())
            .serial_number(1)
            .not_valid_before(NOON - 10 * year)
            .not_valid_after(NOON + 10 * year)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(certificates=True), critical=True)
            .add_extension(_identifier(self.root_key), critical=False)
        )
        self.root = ca.sign(self.root_key, hashes.SHA256())
        leaf = (
            x509.CertificateBuilder()
            .subject_name(name(self.title))
            .issuer_name(issuer)
            .public_key(self.signer_key.public_key())
            .serial_number(2)
            .not_valid_before(self.begins)
            .not_valid_after(self.ends)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(certificates=False), critical=True)
            .add_extension(_identifier(self.signer_key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.root_key.public_key()),
                critical=False,
            )
        )
        if self.uses:
            leaf = leaf.add_extension(x509.ExtendedKeyUsage(self.uses), critical=self.critical)
        self.signer = leaf.sign(self.root_key, hashes.SHA256())

    def reply(
        self,
        digest: bytes,
        *,
        time: datetime = NOON,
        nonce: int | None = None,
        status: int = 0,
        algorithm: bytes = SHA256,
        with_certificate: bool = True,
        flip: bool = False,
    ) -> bytes:
        """A TimeStampResp; ``flip`` spoils one bit of what was signed after it was signed."""
        content = sequence(
            integer(1),
            oid("1.2.3.4.1"),
            sequence(algorithm, der(0x04, digest)),
            integer(77),
            der(0x18, time.strftime("%Y%m%d%H%M%SZ").encode()),
            sequence(integer(1)),
            b"" if nonce is None else integer(nonce),
        )
        own = self.signer.public_bytes(serialization.Encoding.DER)
        certificate = hashlib.sha256(own).digest()
        attributes = (
            _attribute("1.2.840.113549.1.9.3", TST_INFO),
            _attribute("1.2.840.113549.1.9.4", der(0x04, hashlib.sha256(content).digest())),
            _attribute(
                "1.2.840.113549.1.9.16.2.47", sequence(sequence(sequence(der(0x04, certificate))))
            ),
        )
        signature = self.signer_key.sign(set_of(*attributes), ec.ECDSA(hashes.SHA256()))
        signer = sequence(
            integer(1),
            sequence(self.signer.issuer.public_bytes(), integer(self.signer.serial_number)),
            SHA256,
            set_of(*attributes, tag=0xA0),
            ECDSA,
            der(0x04, signature),
        )
        if flip:
            content = content.replace(integer(77), integer(78), 1)
        signed = sequence(
            integer(3),
            set_of(SHA256),
            sequence(TST_INFO, der(0xA0, der(0x04, content))),
            set_of(own, tag=0xA0) if with_certificate else b"",
            set_of(signer),
        )
        token = sequence(oid("1.2.840.113549.1.7.2"), der(0xA0, signed))
        return sequence(sequence(integer(status)), token)


def refused() -> bytes:
    """A reply without a token: PKI status "rejection"."""
    return sequence(sequence(integer(2)))


def _attribute(kind: str, value: bytes) -> bytes:
    return sequence(oid(kind), set_of(value))


def _identifier(private: ec.EllipticCurvePrivateKey) -> x509.SubjectKeyIdentifier:
    return x509.SubjectKeyIdentifier.from_public_key(private.public_key())


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )
