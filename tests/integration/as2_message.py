"""AS2 messages as other software makes them: `openssl cms` signs and encrypts, everything around it is put together here,
so that each structure can be had with each encoding. All functions take and return bytes.

An *entity* is a MIME entity: header lines, an empty line, a body.
"""

import base64
import hashlib
import os
import tempfile
import zlib

import demo

CRLF = b"\r\n"
MICALG = {"md5": "md5", "sha1": "sha-1", "sha224": "sha-224", "sha256": "sha-256", "sha384": "sha-384", "sha512": "sha-512"}


# --- MIME ---------------------------------------------------------------------------------------------------------------

def encoded(content, encoding):
    """A body under its Content-Transfer-Encoding. Quoted-printable here keeps every byte: line ends are octets, too."""
    if encoding == "base64":
        return base64.encodebytes(content).replace(b"\n", CRLF)
    if encoding != "quoted-printable":
        return content
    out, column = bytearray(), 0
    for c in content:
        piece = b"%c" % c if 33 <= c <= 126 and c != 61 else b"=%02X" % c
        if column + len(piece) > 75:
            out += b"=" + CRLF
            column = 0
        out += piece
        column += len(piece)
    return bytes(out)


def entity(headers, body):
    return b"".join(f"{name}: {value}".encode("latin-1") + CRLF for name, value in headers.items() if value is not None) + CRLF + body


def document(content, content_type="application/octet-stream", encoding="binary", file_name=None, headers=None):
    """The document as a MIME entity; encoding None leaves the header out."""
    fields = {"Content-Type": content_type, "Content-Transfer-Encoding": encoding}
    if file_name is not None:
        fields["Content-Disposition"] = f'attachment; filename="{file_name}"'
    fields.update(headers or {})
    return entity(fields, encoded(content, encoding))


def cms_entity(cms, smime_type, encoding="binary"):
    ending = {"compressed-data": "p7z", "signed-data": "p7m", "enveloped-data": "p7m", "authEnveloped-data": "p7m"}[smime_type]
    return entity({"Content-Type": f"application/pkcs7-mime; smime-type={smime_type}; name=smime.{ending}",
                   "Content-Transfer-Encoding": encoding}, encoded(cms, encoding))


def split_entity(whole):
    """({lower-case name: value}, body)."""
    head, _, body = whole.partition(CRLF + CRLF)
    fields = {}
    for line in head.decode("latin-1").split("\r\n"):
        name, _, value = line.partition(":")
        fields[name.strip().lower()] = value.strip()
    return fields, body


# --- DER and BER ----------------------------------------------------------------------------------------------------------

OID_DATA = bytes.fromhex("06092a864886f70d010701")
OID_COMPRESSED = bytes.fromhex("060b2a864886f70d0109100109")
OID_ZLIB = bytes.fromhex("060b2a864886f70d0109100308")


def tlv(tag, *content):
    body = b"".join(content)
    n = len(body)
    size = bytes([n]) if n < 128 else (lambda b: bytes([0x80 | len(b)]) + b)(n.to_bytes((n.bit_length() + 7) // 8, "big"))
    return bytes([tag]) + size + body


def indefinite(tag, *content):
    return bytes([tag, 0x80]) + b"".join(content) + b"\0\0"


def pieces(tag, content, size=1000, depth=1):
    """A constructed octet string of indefinite length, its pieces nested `depth` times."""
    parts = [tlv(0x04, content[i:i + size]) for i in range(0, len(content), size)] or [tlv(0x04)]
    for _ in range(depth - 1):
        parts = [indefinite(0x24, *parts[i:i + 3]) for i in range(0, len(parts), 3)]
    return indefinite(tag, *parts)


def compressed_cms(content, ber=False):
    """CompressedData (RFC 3274), which Debian's openssl can't write."""
    packed = zlib.compress(content)
    if ber:
        return indefinite(0x30, OID_COMPRESSED, indefinite(0xa0, indefinite(
            0x30, tlv(0x02, b"\0"), tlv(0x30, OID_ZLIB), indefinite(0x30, OID_DATA, indefinite(0xa0, pieces(0x24, packed, 700, 2))))))
    return tlv(0x30, OID_COMPRESSED, tlv(0xa0, tlv(0x30, tlv(0x02, b"\0"), tlv(0x30, OID_ZLIB), tlv(
        0x30, OID_DATA, tlv(0xa0, tlv(0x04, packed))))))


def read_tlv(data, at=0):
    """(tag, start of the content, end) of one element of definite length."""
    tag, n, start = data[at], data[at + 1], at + 2
    if n & 0x80:
        start += n & 0x7f
        n = int.from_bytes(data[at + 2:start], "big")
    return tag, start, start + n


def children(data, start, end):
    found = []
    while start < end:
        tag, first, last = read_tlv(data, start)
        found.append((tag, data[start:last], data[first:last]))
        start = last
    return found


def nested_ber(der, size=1000, depth=3):
    """EnvelopedData or SignedData in DER, again as BER: lengths indefinite, the content as nested constructed strings."""
    _, start, end = read_tlv(der)
    (_, oid, _), (_, _, explicit) = children(der, start, end)
    fields = children(explicit, *read_tlv(explicit)[1:])
    out = []
    for tag, whole, content in fields:
        inner = children(content, 0, len(content)) if tag == 0x30 else []
        if inner and inner[0][1] == OID_DATA:
            last_tag, _, last = inner[-1]
            if last_tag == 0x80:  # encrypted content, implicitly tagged
                inner_out = [w for _, w, _ in inner[:-1]] + [pieces(0xa0, last, size, depth)]
            elif last_tag == 0xa0:  # signed content, explicitly tagged
                inner_out = [w for _, w, _ in inner[:-1]] + [indefinite(0xa0, pieces(0x24, children(last, 0, len(last))[0][2], size, depth))]
            else:
                inner_out = [w for _, w, _ in inner]
            out.append(indefinite(0x30, *inner_out))
        else:
            out.append(whole)
    return indefinite(0x30, oid, indefinite(0xa0, indefinite(0x30, *out)))


# --- openssl cms ------------------------------------------------------------------------------------------------------------

def openssl_cms(content, *arguments, scratch=None):
    """What `openssl cms ARGUMENTS` makes of these bytes, in DER (or BER with -stream)."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        source, target = os.path.join(folder, "in"), os.path.join(folder, "out")
        with open(source, "wb") as f:
            f.write(content)
        demo.run(["openssl", "cms", "-binary", "-in", source, "-outform", "DER", "-out", target, *arguments])
        return demo.read(target)


class Sender:
    """Who signs: a certificate with its key, and the options that `openssl cms -sign` shall have."""

    def __init__(self, certificate, key, digest="sha256", options=()):
        self.certificate, self.key, self.digest, self.options = certificate, key, digest, tuple(options)

    def sign(self, content, *options):
        """SignedData in DER; detached unless -nodetach is among the options."""
        return openssl_cms(content, "-sign", "-signer", self.certificate, "-inkey", self.key, "-md", self.digest, *options,
                           *self.options)

    def multipart(self, part, encoding="base64", micalg=None):
        """multipart/signed around an entity, which is signed byte for byte as it is."""
        boundary = "=_part_" + os.urandom(9).hex()
        mark = b"--" + boundary.encode()
        signature = entity({"Content-Type": "application/pkcs7-signature; name=smime.p7s",
                            "Content-Transfer-Encoding": encoding}, encoded(self.sign(part), encoding))
        return entity({"Content-Type": 'multipart/signed; protocol="application/pkcs7-signature"; '
                                       f'micalg={micalg or MICALG[self.digest]}; boundary="{boundary}"'},
                      mark + CRLF + part + CRLF + mark + CRLF + signature + CRLF + mark + b"--" + CRLF)

    def opaque(self, part, encoding="binary", ber=False):
        cms = self.sign(part, "-nodetach")
        return cms_entity(nested_ber(cms) if ber else cms, "signed-data", encoding)


def encrypted(content, recipient, cipher="aes-256-cbc", options=(), encoding="binary", ber=False):
    """An enveloped entity for a recipient's certificate. `options` of the recipient stand before it: -keyopt …"""
    cms = openssl_cms(content, "-encrypt", "-" + cipher, "-recip", recipient, *options)
    return cms_entity(nested_ber(cms) if ber else cms, "authEnveloped-data" if "gcm" in cipher else "enveloped-data", encoding)


def compressed(content, encoding="binary", ber=False):
    return cms_entity(compressed_cms(content, ber), "compressed-data", encoding)


def mic(content, digest="sha256"):
    return base64.b64encode(hashlib.new(digest, content).digest()).decode()


# --- structures -----------------------------------------------------------------------------------------------------------------

STRUCTURES = (  # signed, encrypted, compression: all that AS2 allows (compression never outside of encryption, nor twice)
    (False, False, "none"), (False, False, "before"),
    (True, False, "none"), (True, False, "before"), (True, False, "after"),
    (False, True, "none"), (False, True, "before"),
    (True, True, "none"), (True, True, "before"), (True, True, "after"))


def structure_name(signed, sealed, compression):
    name = " + ".join(w for w, there in (("signed", signed), ("encrypted", sealed)) if there) or "plain"
    return name + {"none": "", "before": ", compressed before signing" if signed else ", compressed",
                   "after": ", compressed after signing"}[compression]


def message(content, sender, recipient, signed, sealed, compression, encoding="binary", digest="sha256", file_name=None):
    """(headers of the HTTP request, its body, the MIC that the receiver has to return)."""
    outer = encoding if encoding == "base64" else "binary"
    inner = document(content, encoding=encoding, file_name=file_name)
    checked = inner
    whole = inner
    if compression == "before":
        whole = compressed(whole, outer)
    if signed:
        checked = whole
        whole = sender.multipart(whole, outer)
    if compression == "after":
        whole = compressed(whole, outer)
    if sealed:
        whole = encrypted(whole, recipient, encoding=outer)
    if not signed and not sealed and compression == "none":
        checked = split_entity(inner)[1]  # RFC 4130 section 7.3.1: then without the headers
    headers, body = split_entity(whole)
    return headers, body, mic(checked, digest)
