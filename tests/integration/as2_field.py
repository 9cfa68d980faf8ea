#!/usr/bin/python3
"""What breaks between AS2 programs in the field, each item by its number: those that a receiver meets. Those that a sender
meets (9, 12, 18, and their half of 13, 15 and 20) are in as2_send.py, TLS keys and slow clients in as2_http.py.

    as2_field.py
"""

import base64
import os
import random
import re
import socket
import sys
import time

import as2_message as as2
import as2_receive as common
import demo
import tap

t = common.t = tap.Tap()
SAMPLES, ROUNDS, APART = 50, 4, 0.25  # times of answers: more than four standard deviations of chance, four times in a row
REWRITTEN = b"alpha\nbeta\r\ngamma\rdelta\n" * 40 + bytes(range(256)) + b"\n"


def signed(p, inner, key="rsa", **options):
    headers, body = as2.split_entity(p.keys[key].multipart(inner, **options))
    return headers, body, as2.mic(inner)


def sealed(p, whole, inner, **options):
    return (*as2.split_entity(as2.encrypted(whole, p.n.hub_crypt, **options)), as2.mic(inner))


def item_1_line_ends(p):
    inner = as2.document(REWRITTEN)
    t.equal(p.accepted(REWRITTEN, signed(p, inner)), "", "1: line feeds alone in binary content stay, in content and in the MIC")
    text = b"one\r\ntwo\r\nthree\r\n"
    inner = as2.document(text, "text/plain", "7bit")
    headers, body, mic = signed(p, inner)
    t.equal(p.accepted(text.replace(b"\r\n", b"\n"), (headers, body.replace(b"\r\n", b"\n"), mic)), "",
            "1: signed with CRLF, on the way changed to LF: the signature still counts, and the MIC is the signer's")
    damaged = body.replace(b"three", b"thr33")
    t.equal(p.refused((headers, damaged, None), "processed/error: integrity-check-failed"), "", "1: but changed content does not")


def item_2_missing_encoding(p):
    inner = as2.document(REWRITTEN, encoding=None)
    t.equal(p.accepted(REWRITTEN, signed(p, inner)), "", "2: without Content-Transfer-Encoding content is binary")
    bare = b"\r\n" + REWRITTEN
    t.equal(p.accepted(REWRITTEN, sealed(p, p.keys["rsa"].multipart(bare), bare)), "", "2: even without any header")


def item_3_wrong_encodings(p):
    inner = as2.document(b"encodings")
    for body_is, header_says in (("base64", "binary"), ("binary", "base64"), ("base64", None), ("binary", "7bit"), ("base64", "8bit"), ("binary", "nonsense")):
        whole = as2.encrypted(p.keys["rsa"].multipart(inner), p.n.hub_crypt, encoding=body_is)
        headers, body = as2.split_entity(whole)
        if header_says:
            headers["content-transfer-encoding"] = header_says
        else:
            del headers["content-transfer-encoding"]
        t.equal(p.accepted(b"encodings", (headers, body, as2.mic(inner))), "", f"3: an encrypted body in {body_is} under {header_says or 'no header'}")


def item_4_mic_of_compressed(p):
    inner = as2.document(REWRITTEN)
    squeezed = as2.compressed(inner)
    headers, body = as2.split_entity(p.keys["rsa"].multipart(squeezed))
    t.equal(p.accepted(REWRITTEN, (headers, body, as2.mic(squeezed))), "", "4: compressed before signing: the MIC is of the compressed part")
    headers, body = as2.split_entity(as2.compressed(p.keys["rsa"].multipart(inner)))
    t.equal(p.accepted(REWRITTEN, (headers, body, as2.mic(inner))), "", "4: compressed after signing: of what was signed")
    headers, body = as2.split_entity(squeezed)
    t.equal(p.accepted(REWRITTEN, (headers, body, as2.mic(inner))), "", "4: compressed and unsigned: of the uncompressed part with its headers")


def item_5_spellings(p):
    inner = as2.document(b"spelled")
    for spelling in ("sha256", "sha-256", "SHA256", "SHA-256", "sha_256", "rsa-sha256", "nonsense"):
        t.equal(p.accepted(b"spelled", signed(p, inner, micalg=spelling)), "", f"5: micalg={spelling} in the signature")
    for spelling in ("sha256", "sha-256", "SHA256", "SHA_256"):
        message_id, response = p.post(*signed(p, inner)[:2], micalg=spelling)
        mdn = p.n.check_mdn(response)
        t.ok(mdn and mdn.verified and mdn.mic == as2.mic(inner) and mdn.micalg == spelling.lower(), f"5: {spelling} is asked for, and is the MDN's word", mdn)
    for listed, digest in (("md5000, sha-512, sha-256", "sha256"), ("sha512, sha1", "sha512"), ("sha-1", "sha1"), ("sha384,sha256", "sha256")):
        message_id, response = p.post(*signed(p, inner)[:2], micalg=listed)
        mdn = p.n.check_mdn(response)
        t.ok(mdn and mdn.mic == as2.mic(inner, digest), f"5: {listed}: the signature's digest where it is listed, else the first that is known", mdn)
    headers, body = as2.split_entity(inner)
    for listed, digest in (("nonsense, sha-384, sha-256", "sha384"), ("sha512", "sha512")):
        message_id, response = p.post(headers, body, micalg=listed)
        mdn = p.n.check_mdn(response)
        t.ok(mdn and mdn.mic == as2.mic(body, digest), f"5: {listed}, unsigned: the first that is known", mdn)
    refusal = p.post(*signed(p, inner)[:2], micalg="nonsense")[1]
    mdn = p.n.check_mdn(refusal)
    t.ok(mdn and mdn.outcome.lower() == "failed/failure: unsupported mic-algorithms", "5: none that is known, and required: a failure", mdn)


def item_6_attributes(p):
    _, response = p.post(*signed(p, as2.document(b"x"))[:2])
    part = re.search(rb"pkcs7-signature; name=smime.p7s\r\n.*?\r\n\r\n(.*?)\r\n--", response.body, re.S).group(1)
    path = os.path.join(p.n.root, "signature.der")
    with open(path, "wb") as f:
        f.write(base64.b64decode(part))
    shown = demo.run(["openssl", "asn1parse", "-inform", "DER", "-in", path]).stdout
    t.ok(b":messageDigest" in shown and b"1.2.840.113549.1.9.52" not in shown and b"S/MIME Capabilities" not in shown,
         "6: MDNs have no CMSAlgorithmProtection or capabilities, which some refuse", shown)


def item_7_names(p):
    names = {"odd-a": "Odd Name", "odd-b": 'quo"ted', "odd-c": "back\\slash", "odd-d": "odd name", "odd-e": "x" * 128, "odd-f": "a;b,c=(d)<e>@f"}
    path = os.path.join(p.n.root, "odd.yaml")
    with open(path, "w") as f:
        for name, as2_id in names.items():
            f.write(f"---\nkind: partner\nid: {name}\nname: {name}\nconnections:\n  - id: {name}-as2\n    protocol: as2\n    station: {p.n.station}\n"
                    f"    as2_id: '{as2_id}'\n    receive:\n      require: []\n      certificates: [{p.keys['rsa'].certificate}]\n")
    p.n.apply_profiles(path)
    inner = as2.document(b"named")
    for name, as2_id in names.items():
        written = '"' + as2_id.replace("\\", "\\\\").replace('"', '\\"') + '"'
        forms = {written} | ({as2_id} if not set(as2_id) & set('"\\') else set())
        for form in forms:
            message_id, response = p.post(*signed(p, inner)[:2], AS2_From=form)
            stored = [m for m in p.n.messages("--limit", "3") if m["as2_message_id"] == message_id]
            t.ok(response.status == 200 and [m["partner"] for m in stored] == [name], f"7: {tap.short(form, 40)} is {name}", f"{response} {stored}")
            t.ok(response.headers.get("as2-to", "").strip('"').replace("\\\\", "\\").replace('\\"', '"') == as2_id, f"7: and {name}'s MDN goes to that name", response)
    for unknown in ("ODD NAME", "odd  name", "x" * 127):
        t.equal(p.post(*signed(p, inner)[:2], AS2_From=f'"{unknown}"', **{"Disposition-Notification-To": None})[1].status, 403, f"7: {unknown[:12]} is nobody: case and blanks count")
    t.equal(p.post(*signed(p, inner)[:2], AS2_From="x" * 129)[1].status, 400, "7: no name has 129 characters")


def item_8_message_ids(p):
    inner = as2.document(b"id")
    for message_id in ("<plain@x>", "bare@x", "<no-at>", "<[lit]@[192.0.2.1]>", "<a<b>c@x>", "<with blank@x>", "<" + "l" * 900 + "@x>", "<../../../etc/passwd@x>", "<%s%n@x>",
                       "<quote\"'@x>", "<;DROP TABLE@x>"):
        t.equal(p.accepted(b"id", signed(p, inner), message_id=message_id), "", f"8: {tap.short(message_id, 40)} is echoed exactly")


def chunked(p, sizes, trailer=b"", extension=b"", blank=b""):
    """A signed message in chunks whose size lines are as other software writes them: HTTP status."""
    headers, body, _ = signed(p, as2.document(b"c" * 5000))
    fields = {**p.n.as2_headers(p.n.message_id("chunk"), AS2_From=common.MATRIX, Content_Type=headers["content-type"]), "Host": "x",
              "Transfer-Encoding": "chunked"}
    out, at = [], 0
    for size in (*sizes, len(body)):
        piece = body[at:at + size]
        at += len(piece)
        if piece:
            out.append(b"%x" % len(piece) + blank + extension + b"\r\n" + piece + b"\r\n")
    with socket.create_connection(("127.0.0.1", p.n.ports["as2"]), demo.PATIENCE) as s:
        s.sendall(b"POST /as2 HTTP/1.1\r\n" + b"".join(f"{k}: {v}\r\n".encode() for k, v in fields.items()) + b"\r\n" + b"".join(out) +
                  b"0" + blank + b"\r\n" + trailer + b"\r\n")
        return int(s.recv(4096).split()[1])


def item_10_chunks(p):
    for name, options in (("an extension", dict(extension=b";x=y")), ("one byte at a time", dict()), ("a trailer", dict(trailer=b"X-Checksum: 1\r\n"))):
        sizes = [1] * 200 if name.startswith("one") else [1000, 7, 300]
        t.equal(chunked(p, sizes, **options), 200, f"10: chunks with {name}")
    # libmicrohttpd 0.9.75 takes no blanks behind a chunk's size; then the sender is told at once, and nothing is half taken
    before = len(p.n.messages("--direction", "in"))
    t.equal(chunked(p, [1000], blank=b"  "), 400, "10: blanks behind the size are refused")
    t.equal(len(p.n.messages("--direction", "in")), before, "10: with nothing taken")


def item_11_large_messages(p):
    size = 48 << 20
    payload = os.urandom(size)
    whole = p.keys["rsa"].multipart(as2.document(payload))
    before = resident(p.n)
    t.equal(p.accepted(payload, sealed(p, whole, as2.document(payload)), framing="chunked"), "", "11: 48 MiB, chunked")
    grown = resident(p.n) - before
    t.diag(f"grown by {grown >> 10} KiB")
    t.ok(grown < 24 << 20, "11: in less than half of that memory, all roles together", f"{grown >> 20} MiB")


def resident(n):
    total = 0
    for pid in [n.vand.pid, *n.tree()]:
        with open(f"/proc/{pid}/statm") as f:
            total += int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return total


def item_13_mdn_lost(p):
    """The document was taken, the MDN can't be sent: the sender's repeat must not double the document."""
    message_id = p.n.message_id("lost")
    inner = as2.document(b"once only")
    p.desk.refusing = True
    answer = p.post(*signed(p, inner)[:2], "async signed", message_id=message_id)[1]
    t.equal(answer.status, 204, "13: taken; its asynchronous MDN is refused where it should go")
    demo.wait_for("the end of its try", lambda: [d for d in p.n.json("queue", "list") if d["kind"] == "mdn" and d["last_error"]])
    t.ok("refused" in p.desk.paths, "13: which the queue shows")
    p.desk.refusing = False
    t.equal(p.accepted(b"once only", signed(p, inner), "async signed", message_id=message_id), "", "13: the sender repeats it, and gets its MDN")
    t.equal(len([m for m in p.n.messages("--direction", "in") if m["as2_message_id"] == message_id]), 1, "13: there is one document")


def item_14_retry_of_a_failure(p):
    message_id = p.n.message_id("retry")
    inner = as2.document(b"second try")
    stranger = as2.Sender(p.stranger[0], p.stranger[1])
    bad = (*as2.split_entity(stranger.multipart(inner)), None)
    t.equal(p.refused(bad, "processed/error: authentication-failed", message_id=message_id), "", "14: a message that failed")
    t.equal(p.accepted(b"second try", signed(p, inner), message_id=message_id), "", "14: is no duplicate when it comes again, sound")
    t.equal(p.refused(bad, "processed/error: authentication-failed", message_id=message_id), "", "14: and the bad one stays bad")


def item_15_roll_over(p):
    for key in ("rsa", "rsa-new", "p256"):
        inner = as2.document(key.encode())
        for recipient in (p.n.hub_crypt, p.station_keys["rsa-next"]):
            made = (*as2.split_entity(as2.encrypted(p.keys[key].multipart(inner), recipient)), as2.mic(inner))
            t.equal(p.accepted(key.encode(), made), "", f"15: signed with {key}, encrypted for {os.path.basename(recipient)}: old and new together")


def item_16_certificates(p):
    """Expired and issued ones by themselves are fine; as2_receive.py has what a profile may ask besides."""
    for name in ("expired", "chained", "server-only"):
        inner = as2.document(name.encode())
        t.equal(p.accepted(name.encode(), sealed(p, p.special[name].multipart(inner), inner), as2_from=common.TRUSTING), "", f"16: {name}: taken by default")


def item_17_oaep(p):
    inner = as2.document(b"oaep")
    for digest, mgf in (("sha1", "sha1"), ("sha256", "sha1"), ("sha512", "sha512")):
        options = ("-keyopt", "rsa_padding_mode:oaep", "-keyopt", f"rsa_oaep_md:{digest}", "-keyopt", f"rsa_mgf1_md:{mgf}")
        t.equal(p.accepted(b"oaep", sealed(p, p.keys["rsa"].multipart(inner), inner, options=options)), "", f"17: OAEP with {digest} and MGF1 with {mgf}")


def item_19_file_names(p):
    before = set(os.listdir(p.n.root))
    for name in ("../../../../tmp/evil", "/etc/cron.d/evil", "..\\..\\evil", "a\\\"b.edi", "=?iso-8859-1?Q?=E4=2E=2E=2Fx?=", "x" * 2000, "a\tb", "CON", "."):
        inner = as2.document(b"name", file_name=name)
        t.equal(p.accepted(b"name", sealed(p, p.keys["rsa"].multipart(inner), inner)), "", f"19: file name {tap.short(name, 30)}")
    names = [m["file_name"] for m in p.n.messages("--limit", "9")]
    t.ok(not any(n and ("/" in n or "\\" in n or n.startswith(".")) for n in names), "19: none of them names a way", names)
    t.ok(not os.path.exists("/tmp/evil") and not os.path.exists("/etc/cron.d/evil") and set(os.listdir(p.n.root)) == before, "19: no file came to be")


def item_20_head(p):
    for path in ("/as2", "/as2/mdn"):
        done = demo.run(["curl", "-sS", "-I", "-o", "/dev/null", "-w", "%{http_code}", f"http://127.0.0.1:{p.n.ports['as2']}{path}"])
        t.equal(done.stdout, b"200", f"20: HEAD {path} tells that it is there")
    inner = as2.document(b"ber")
    t.equal(p.accepted(b"ber", sealed(p, p.keys["rsa"].opaque(inner, ber=True), inner, ber=True)), "", "20: indefinite lengths and nested strings, outside and inside")


def decryption_tells_nothing(p):
    """Whatever is wrong with an encrypted message, the answer is the same, and takes as long."""
    inner = as2.document(b"s" * 3000)
    good = as2.encrypted(p.keys["rsa"].multipart(inner), p.n.hub_crypt, "aes-128-cbc")
    headers, der = as2.split_entity(good)
    other = as2.split_entity(as2.encrypted(p.keys["rsa"].multipart(inner), p.keys["rsa"].certificate, "aes-128-cbc"))[1]
    key_at = der.index(bytes.fromhex("06092a864886f70d010101")) + 11  # behind rsaEncryption: NULL, then the encrypted key
    key_at = der.index(b"\x04\x82\x01\x00", key_at) + 4

    content_at = der.index(bytes.fromhex("0609608648016503040102")) + 11  # behind aes128-CBC: its IV, then the content
    content_at = der.index(b"\x80\x82", content_at + 18) + 4

    def changed(*places):
        b = bytearray(der)
        for at in places:
            b[at] ^= 0x55
        return bytes(b)
    kinds = {"the last block, so its padding": lambda: changed(len(der) - 1), "the block before it": lambda: changed(len(der) - 17),
             "the key": lambda: changed(key_at + 200), "the key's first byte": lambda: changed(key_at), "the content's first block": lambda: changed(content_at)}
    answers = {}
    for kind, make in kinds.items():
        response = timed_post(p, headers, make())[1]
        mdn = p.n.check_mdn(response)
        if mdn:
            text = re.sub(r"Original-Message-ID: .*|=_\w+", "", mdn.report.decode("latin-1"))
            answers[kind] = (mdn.outcome, text, sorted(response.headers))
    t.ok(len(answers) == len(kinds) and len(set(map(str, answers.values()))) == 1 and "decryption-failed" in str(answers),
         "a message that can't be decrypted gets one answer, whatever is wrong with it", answers)
    foreign = p.n.check_mdn(p.post(headers, other)[1])
    t.ok(foreign and foreign.outcome == "processed/error: decryption-failed", "also when it is for another", foreign)
    kinds["the key, again"] = kinds["the key"]  # the control: what chance does
    suspects, rounds, most = set(kinds) - {"the key"}, 0, {}
    while suspects and rounds < ROUNDS:  # a difference is one when it shows in every round
        rounds += 1
        times = {k: [] for k in kinds}
        for _ in range(SAMPLES):
            for kind in random.sample(sorted(kinds), len(kinds)):
                times[kind].append(timed_post(p, headers, kinds[kind]())[0])
        off = {k: abs(below(times["the key"], times[k]) - 0.5) for k in kinds}
        most = {k: max(most.get(k, 0), off[k]) for k in kinds}
        suspects = {k for k in suspects if off[k] > APART}
    t.diag("off one half: " + ", ".join(f"{k} {v:.2f}" for k, v in most.items()))
    t.ok(not suspects, f"nor does the time tell what is wrong ({rounds} rounds of {SAMPLES})", suspects)


def below(a, b):
    """How often one of a is below one of b: one half where nobody can tell them apart."""
    return sum(1 if x < y else 0.5 if x == y else 0 for x in a for y in b) / (len(a) * len(b))


def timed_post(p, headers, body):
    """One post over a socket of our own: seconds from the last byte sent to the answer's first."""
    message_id = p.n.message_id("oracle")
    fields = {**p.n.as2_headers(message_id, AS2_From=common.MATRIX, Content_Type=headers["content-type"]), "Host": "x", "Content-Length": str(len(body)),
              "Connection": "close"}
    with socket.create_connection(("127.0.0.1", p.n.ports["as2"]), demo.PATIENCE) as s:
        s.sendall(b"POST /as2 HTTP/1.1\r\n" + b"".join(f"{k}: {v}\r\n".encode() for k, v in fields.items()) + b"\r\n" + body[:-1])
        time.sleep(0.002)
        start = time.perf_counter()
        s.sendall(body[-1:])
        said = s.recv(65536)
        seconds = time.perf_counter() - start
        while piece := s.recv(65536):
            said += piece
    head, _, rest = said.partition(b"\r\n\r\n")
    return seconds, demo.Response(head, rest), message_id


def main():
    if not demo.available():
        tap.skip_all("vand is not built")
    with common.network("--keep" in sys.argv) as (n, p):
        p.stranger = demo.make_certificate(n.peers, "stranger")
        for group in (item_1_line_ends, item_2_missing_encoding, item_3_wrong_encodings, item_4_mic_of_compressed, item_5_spellings, item_6_attributes,
                      item_7_names, item_8_message_ids, item_10_chunks, item_11_large_messages, item_13_mdn_lost, item_14_retry_of_a_failure,
                      item_15_roll_over, item_16_certificates, item_17_oaep, item_19_file_names, item_20_head, decryption_tells_nothing, common.stored):
            t.run(group, p)
        n.tell(t)
    return t.done()


if __name__ == "__main__":
    sys.exit(main())
