#!/usr/bin/python3
"""What breaks between AS2 programs in the field: one test for each of the twenty items, by its number, as a receiver and as a
sender; and the odd forms that messages and requests have. Keys of TLS and slow clients are in as2_http.py, whole files of 4 GiB in
the bench as2-receive-4g.

    as2_field.py
"""

import base64
import concurrent.futures
import gzip
import hashlib
import http.client
import os
import random
import re
import shutil
import socket
import sys
import threading
import time

import as2_message as as2
import as2_peer
import as2_receive as common
import as2_send
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
        forms = {written} | ({as2_id} if '"' not in as2_id else set()) | ({f'"{as2_id}"'} if "\\" in as2_id else set())
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


def answered(s, cases, retry="[1s]"):
    """Sends to a peer for each case: {name: (answer, keys of send, MDN wanted)}; answer(peer, Message-ID, message, headers) returns
    (status, Content-Type, body[, headers]). Returns {name: the message as it ended}."""
    def custom(peer, form):
        def answer(request, message_id, headers, body, what):
            m = peer.open({k.lower(): v for k, v in headers.items()}, body)
            with peer.lock:
                peer.messages[message_id] = m
            status, kind, content, *more = form(peer, message_id, m, headers)
            peer.reply(request, status, kind, content, **(more[0] if more else {}))
        return answer
    names, sent = {}, {}
    for name, (form, send, mdn) in cases.items():
        names[name] = f"f{len(s.peers)}"
        peer = s.add(names[name], send=send, mdn=mdn, retry=retry)
        peer.answer = custom(peer, form)
    s.apply()
    for name in cases:
        sent[name] = s.send(names[name], f"document {name}".encode())
    return {name: s.wait(sent[name]) for name in cases}


def ended(m):
    return f"{m['delivery']} {m['error']} {[(e['event'], e['text']) for e in m['history']]}"


def item_9_chunked_is_refused(p):
    """A partner that answers 411 to chunked gets Content-Length, unless its profile says otherwise."""
    def picky(peer, message_id, m, headers):
        if "chunked" in headers.get("Transfer-Encoding", ""):
            return 411, "text/plain", b"length wanted"
        return (200, *peer.mdn(message_id, m, headers))
    done = answered(p.sender, {"by default": (picky, "", "mode: sync"), "chunked": (picky, "chunked: true", "mode: sync")})
    t.equal(done["by default"]["delivery"], "delivered", "9: a partner that takes no chunked transfer gets Content-Length")
    t.ok(done["chunked"]["delivery"] == "failed" and "HTTP 411" in done["chunked"]["error"], "9: chunked where the profile says so: its 411 is final, and shown",
         ended(done["chunked"]))


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


def item_12_asynchronous_mdns(p):
    """Late, lost, repeated."""
    s, url = p.sender, f"http://127.0.0.1:{p.n.ports['as2']}/as2/mdn"
    s.add("again", "twice", mdn="mode: async")
    s.add("lost", "never early", mdn="mode: async", timeout="2s")
    late = s.add("belated", "never", mdn="mode: async", timeout="1s", retry="[]")
    s.apply()
    again, lost, belated = (s.send(name, name.encode()) for name in ("again", "lost", "belated"))
    t.equal(s.wait(again)["delivery"], "delivered", "12: an MDN that comes twice counts once")
    m = s.wait(lost)
    t.ok(m["delivery"] == "delivered" and s.peers["lost"].tries[m["as2_message_id"]] == 2, "12: one that is lost is asked for again, under the same Message-ID", ended(m))
    m = demo.wait_for("the end of waiting", lambda: (m := s.show(belated))["delivery"] == "expired" and m)
    late.post_mdn(url, m["as2_message_id"], *late.mdn(m["as2_message_id"], late.messages[m["as2_message_id"]], {}, signed=True))
    t.ok(demo.wait_for("the late MDN", lambda: s.show(belated)["delivery"] == "delivered"), "12: one that comes when all was given up still counts")


def mdns_over_tls(p):
    """An asynchronous MDN goes to an https:// address by what the profile says of TLS: its trust, our client certificate."""
    s, folder = p.sender, p.n.peers
    server, other, client = (as2_send.server_certificate(folder, f"mdn-{x}", "IP:127.0.0.1") for x in ("tls", "other", "client"))
    sender = as2.Sender(*p.n.peer_keys)
    secret = os.path.join(folder, "mdn-secret")
    with open(secret, "w") as f:
        f.write("pass word\n")
    cases = {"tls-good": (f"trust: [{server[0]}], client: [{{certificate: {client[0]}, key: {client[1]}}}]", client[0]), "tls-bad": (f"trust: [{other[0]}]", None)}
    for name, (tls, ca) in cases.items():
        s.add(name, tls=server, client_ca=ca, send=f"tls: {{{tls}}}\nauth: {{user: hub, password_file: {secret}}}", retry=as2_send.AGAIN_AND_AGAIN).serve = p.desk.take
    s.apply()
    for name in cases:
        inner, message_id = as2.document(name.encode()), p.n.message_id(name)
        made = sealed(p, sender.multipart(inner), inner)
        options = dict(as2_from=name.upper(), message_id=message_id, Receipt_Delivery_Option=f"{s.peers[name].url}?mdn")
        if name == "tls-good":
            t.equal(p.accepted(name.encode(), made, "async signed", **options), "", "12: an MDN to an https:// address that is trusted, with our client certificate")
            basic = "Basic " + base64.b64encode(b"hub:pass word").decode()
            t.equal(p.desk.wait(message_id).headers.get("authorization"), basic, "12: and with the password")
            options.update(message_id=p.n.message_id(name), Receipt_Delivery_Option=f"http://127.0.0.1:{common.MDN_PORT}/clear")
            t.equal(p.accepted(name.encode(), made, "async signed", **options), "", "12: to an http:// address it goes, too")
            t.equal(p.desk.wait(options["message_id"]).headers.get("authorization"), None, "12: but without the password, which is for https://")
            continue
        t.equal(p.post(*made[:2], "async signed", **options)[1].status, 204, "12: a document is taken, whose MDN shall go to another's certificate")
        owed = demo.wait_for("its try", lambda: [d for d in p.n.json("queue", "list") if d["kind"] == "mdn" and d["url"] and d["url"].startswith(s.peers[name].url) and d["last_error"]])
        t.ok("certificate" in owed[0]["last_error"] and message_id not in p.desk.arrived, "12: it stays here, with the reason", owed)
        p.n.vanctl("queue", "drop", owed[0]["id"])


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
    peer = p.sender.add("deaf", "reset-after good")
    p.sender.apply()
    m = p.sender.wait(p.sender.send("deaf", b"once only"))
    t.ok(m["delivery"] == "delivered" and list(peer.tries.values()) == [2] and list(peer.accepted.values()) == [1],
         "13: as a sender: an answer that is lost is asked for under the same Message-ID", (peer.tries, ended(m)))


def item_14_retry_of_a_failure(p):
    message_id = p.n.message_id("retry")
    inner = as2.document(b"second try")
    stranger = as2.Sender(p.stranger[0], p.stranger[1])
    bad = (*as2.split_entity(stranger.multipart(inner)), None)
    t.equal(p.refused(bad, "processed/error: authentication-failed", message_id=message_id), "", "14: a message that failed")
    t.equal(p.accepted(b"second try", signed(p, inner), message_id=message_id), "", "14: is no duplicate when it comes again, sound")
    t.equal(p.refused(bad, "processed/error: authentication-failed", message_id=message_id), "", "14: and the bad one stays bad")


def repeats(p):
    """The same message again, however its sender has changed its mind meanwhile; and many of them at once."""
    inner = as2.document(b"and again")
    sha512 = as2.Sender(p.keys["rsa"].certificate, p.keys["rsa"].key, "sha512")
    sealed_anew = [sealed(p, p.keys["rsa"].multipart(inner), inner) for _ in range(2)]
    for name, first, second in (("encrypted anew", (sealed_anew[0], {}), (sealed_anew[1], {})),
                                ("that asks for another digest", (signed(p, inner), {"micalg": "sha1"}), (signed(p, inner), {"micalg": "sha512"})),
                                ("signed by another digest", (signed(p, inner), {"micalg": "sha512, sha256"}),
                                 ((*as2.split_entity(sha512.multipart(inner)), None), {"micalg": "sha512, sha256"})),
                                ("that spells its digest otherwise", (signed(p, inner), {"micalg": "SHA256"}), (signed(p, inner), {"micalg": "sha-256"}))):
        message_id = p.n.message_id("again")
        answers = [p.post(*made[:2], message_id=message_id, **options)[1] for made, options in (first, second)]
        mdn = p.n.check_mdn(answers[1])
        t.ok(mdn and mdn.outcome == "processed" and answers[0].body == answers[1].body, f"a repeat {name} gets the MDN of the first time", mdn)
    message_id = p.n.message_id("reused")
    p.post(*signed(p, inner)[:2], message_id=message_id, micalg="sha1")
    for name, other in (("the same length", as2.document(b"and AGAIN")), ("another", as2.document(b"another"))):
        t.equal(p.refused(signed(p, other), "processed/error: unexpected-processing-error", mic=as2.mic(other), message_id=message_id), "",
                f"another document under the same Message-ID, of {name}, is refused, whatever digest it asks for")
    for size in (10, 3 << 20):
        payload = os.urandom(size)
        made, message_id = signed(p, as2.document(payload)), p.n.message_id("at-once")
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: p.post(*made[:2], message_id=message_id)[1], range(8)))
        p.sent[common.MATRIX.lower(), message_id] = payload  # common.stored() asks for exactly one
        mdn = p.n.check_mdn(answers[0])
        t.ok(mdn and mdn.outcome == "processed" and len({a.body for a in answers}) == 1, f"eight at once, of {size} bytes: one document, one MDN", mdn)


def item_15_roll_over(p):
    for key in ("rsa", "rsa-new", "p256"):
        inner = as2.document(key.encode())
        for recipient in (p.n.hub_crypt, p.station_keys["rsa-next"]):
            made = (*as2.split_entity(as2.encrypted(p.keys[key].multipart(inner), recipient)), as2.mic(inner))
            t.equal(p.accepted(key.encode(), made), "", f"15: signed with {key}, encrypted for {os.path.basename(recipient)}: old and new together")
    our_signature_rolls_over(p)


def our_signature_rolls_over(p):
    """The station's own signing key: by its date, in what is sent and in MDNs, without a restart. Partners know both."""
    n, old = p.n, p.n.hub_sign
    new, key = (os.path.join(n.dir, *x) for x in (("certs", "sign-next.pem"), ("keys", "sign-next.key")))
    made = demo.make_certificate(n.peers, "sign-next")
    shutil.copy(made[0], new)
    shutil.copy(made[1], key)
    with open(n.station_profile) as f:
        text = f.read()
    pair = re.search(r"sign:\s*\[\{certificate: ([^,]+), key: ([^}]+)\}\]", text)
    peer = p.sender.add("signed-for")
    for name, until, certificate in (("before its end the old one", "2999-01-01", old), ("after it the new one", "2020-01-01", new)):
        with open(n.station_profile, "w") as f:
            f.write(text.replace(pair.group(0), f"sign: [{{certificate: {{file: {pair.group(1)}, until: {until}}}, key: {pair.group(2)}}}, "
                                                f"{{certificate: {new}, key: {key}}}]"))
        peer.station_certificate = certificate
        p.sender.apply()
        m = p.sender.wait(p.sender.send("signed-for", until.encode()))
        got = peer.messages.get(m["as2_message_id"])
        t.ok(m["delivery"] == "delivered" and got and got.verified, f"15: {name} signs what is sent", peer.refusals or ended(m))
        n.hub_sign = certificate
        inner = as2.document(until.encode())
        t.equal(p.accepted(until.encode(), signed(p, inner)), "", f"15: {name} signs MDNs")
    with open(n.station_profile, "w") as f:
        f.write(text)
    n.hub_sign = old
    p.sender.apply()


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


def good_mdn(change=lambda kind, body: (kind, body), **changes):
    """An answer by the book, but for what `change` does to its Content-Type and its body."""
    return lambda peer, message_id, m, headers: (200, *change(*peer.mdn(message_id, m, headers, **changes)))


def report_mdn(change):
    """The same, with a report that `change(text, MIC)` has been at before it was signed."""
    def form(peer, message_id, m, headers):
        mic = as2.mic(m.mic_input)
        return (200, *peer.sign(change(peer.report(message_id, mic + ", sha256").decode(), mic).encode()))
    return form


def binary_signature(kind, body):
    start = body.index(b"base64\r\n\r\n")
    end = body.index(b"\r\n--ss--")
    return kind, body[:start] + b"binary\r\n\r\n" + base64.b64decode(body[start + 10:end]) + body[end:]


def encoded_notification(report, _):
    head, _, rest = report.partition("notification\r\n\r\n")
    fields, _, end = rest.partition("\r\n--rr--")
    return f"{head}notification\r\nContent-Transfer-Encoding: base64\r\n\r\n{base64.encodebytes(fields.encode()).decode()}\r\n--rr--{end}"


QUOTED = {"wholly in quotes": lambda kind: '"' + kind.replace('"', '\\"') + '"', "without a boundary": lambda kind: re.sub('; boundary="ss"', "", kind),
          "with a quote that does not end": lambda kind: kind.rstrip('"'), "in capitals": lambda kind: kind.replace("multipart/signed", "Multipart/Signed"),
          "without a protocol": lambda kind: re.sub('protocol="[^"]*"; ', "", kind), "with blanks around it all": lambda kind: kind.replace("=", " = ").replace("/", " / ", 1)}


def item_18_content_types_of_mdns(p):
    """Odd quoting, no boundary; in answers and in what is posted; and what else MDNs of the field have."""
    cases = {f"Content-Type {name}": (good_mdn(lambda kind, body, odd=odd: (odd(kind), body)), "", "mode: sync") for name, odd in QUOTED.items()}
    cases["Content-Type in capitals, where a later MDN was expected"] = (good_mdn(lambda kind, body: (QUOTED["in capitals"](kind), body)), "", "mode: async")
    cases["a binary signature"] = (good_mdn(binary_signature), "", "mode: sync")
    forms = {
        "LF alone": lambda r, mic: r.replace("\r\n", "\n"), "an empty line before the fields": lambda r, mic: r.replace("notification\r\n\r\n", "notification\r\n\r\n\r\n"),
        "no text for people": lambda r, mic: re.sub("--rr\r\nContent-Type: text/plain.*?\r\n(?=--rr)", "", r, flags=re.S), "HTML for people": lambda r, mic: r.replace("text/plain", "text/html"),
        "a third part": lambda r, mic: r.replace("\r\n--rr--", "\r\n--rr\r\nContent-Type: text/rfc822-headers\r\n\r\nX: y\r\n--rr--"),
        "no last boundary": lambda r, mic: r.replace("--rr--\r\n", ""), "fields in base64": encoded_notification,
        "fields in small letters": lambda r, mic: re.sub("^(Original-Message-ID|Disposition|Received-Content-MIC)", lambda m: m.group(0).lower(), r, flags=re.M),
        "a MIC without a blank": lambda r, mic: r.replace(", sha256", ",sha256"), "a MIC over two lines": lambda r, mic: r.replace(", sha256", ",\r\n sha256"),
        "a MIC without its digest's name": lambda r, mic: r.replace(", sha256", ""), "a MIC with another name": lambda r, mic: r.replace(", sha256", ", sha2-256"),
        "a MIC with a semicolon": lambda r, mic: r.replace(", sha256", "; SHA-256"),
        "no Original-Message-ID": lambda r, mic: re.sub("Original-Message-ID:.*\r\n", "", r), "an Original-Message-ID without brackets":
            lambda r, mic: re.sub("Original-Message-ID: <(.*)>", r"Original-Message-ID: \1", r), "a disposition without its action":
            lambda r, mic: r.replace("automatic-action/MDN-sent-automatically; ", "")}
    cases.update({name: (report_mdn(form), "", "mode: sync") for name, form in forms.items()})
    for name, m in answered(p.sender, cases, retry="[]").items():
        t.equal(m["delivery"] if m["delivery"] == "delivered" else ended(m), "delivered", f"18: an MDN with {name} counts")
    peer = p.sender.add("poster", "never", mdn="mode: async")
    p.sender.apply()
    for name, odd in QUOTED.items():
        shown = posted(p, peer, odd)
        t.equal(shown, (200, "delivered"), f"18: posted with Content-Type {name}, too")
    t.equal(posted(p, peer, lambda kind: kind, Disposition_Notification_To="who@asks"), (200, "delivered"), "18: even when it asks for an MDN itself")
    t.equal(posted(p, peer, lambda kind: kind, path="/as2"), (200, "delivered"), "18: and at the address of documents")


def posted(p, peer, change, path="/as2/mdn", **headers):
    """(HTTP status, what the delivery becomes) of an MDN posted for a new message."""
    name = peer.own_name.lower()
    message = p.sender.send(name, b"for a posted MDN")
    m = demo.wait_for("its waiting", lambda: (m := p.sender.show(message))["delivery"] == "awaiting-mdn" and m)
    kind, body = peer.mdn(m["as2_message_id"], peer.messages[m["as2_message_id"]], {}, signed=True)
    fields = {"AS2-Version": "1.2", "AS2-From": peer.own_name, "AS2-To": demo.HUB_AS2, "Message-ID": f"<{time.time_ns()}@peer>", "Content-Type": change(kind)}
    fields.update({k.replace("_", "-"): v for k, v in headers.items()})
    connection = http.client.HTTPConnection("127.0.0.1", p.n.ports["as2"], timeout=demo.PATIENCE)
    connection.request("POST", path, body, {k: v for k, v in fields.items() if v is not None})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    if answer.status != 200:
        p.n.vanctl("queue", "drop", message)
    return answer.status, p.sender.show(message)["delivery"]


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


def item_20_what_mdns_lack(p):
    """A MIC that differs is a failure, not a line in a log; MDNs without Original-Recipient, without Message-ID."""
    other = base64.b64encode(hashlib.sha256(b"something else").digest()).decode()
    done = answered(p.sender, {"another MIC": (good_mdn(mic=other + ", sha-256"), "", "mode: sync")})["another MIC"]
    t.ok(done["delivery"] == "failed" and other in done["error"], "20: an MDN with another MIC: the delivery has failed, with both MICs shown", ended(done))
    peer = p.sender.add("nameless", "never", mdn="mode: async")
    p.sender.apply()
    t.equal(posted(p, peer, lambda kind: kind, Message_ID=None), (200, "delivered"), "20: an MDN without Message-ID and Original-Recipient counts")


def refusals_with_an_mdn(p):
    """Some send their MDN under a status that is no success: their word counts when it is theirs, else the status does."""
    negative = dict(disposition="processed/error: decryption-failed", mic=None, text="No such key.")

    def under(status, **changes):
        return lambda peer, message_id, m, headers: (status, *peer.mdn(message_id, m, headers, **changes))
    duplicate = dict(disposition="processed/warning: duplicate-document")
    cases = {  # answer, delivery, tries, what the error says
        "500 with a good MDN": (under(500), "delivered", 1, ""), "500 with a refusal": (under(500, **negative), "failed", 1, "decryption-failed: No such key."),
        "403 with a refusal": (under(403, **negative), "failed", 1, "decryption-failed: No such key."),
        "400 with an unsigned refusal": (under(400, signed=False, **negative), "failed", 1, "decryption-failed"),
        "500 with a stranger's MDN": (under(500, keys=as2_peer.stranger_keys(p.n.peers)), "failed", 2, "HTTP 500"),
        "302 without an address": (lambda *_: (302, "text/html", b"<html>"), "failed", 1, "HTTP 302 without a Location"),
        "a duplicate, with a MIC": (under(200, **duplicate), "delivered", 1, ""), "a duplicate, without a MIC": (under(200, mic=None, **duplicate), "delivered", 1, ""),
        "a warning without a MIC": (under(200, disposition="processed/warning: something", mic=None), "failed", 1, "no MIC"),
        "failed/Failure": (under(200, disposition="failed/Failure: unsupported format", mic=None), "failed", 1, "unsupported format"),
        "no content": (lambda *_: (204, "text/plain", b""), "failed", 2, "it is no MDN")}
    done = answered(p.sender, {name: (form, "", "mode: sync") for name, (form, *_) in cases.items()})
    for name, (_, delivery, tries, error) in cases.items():
        m = done[name]
        t.ok(m["delivery"] == delivery and len(as2_send.events(m, "sent")) == tries and error in (m["error"] or ""), f"{name}: {delivery} after {tries}", ended(m))


def raw_answers(p):
    """Servers that answer before they have read, or what no AS2 server would say."""
    def whole(c):
        data = b""
        while b"\r\n\r\n" not in data:
            data += c.recv(65536)
        head, _, body = data.partition(b"\r\n\r\n")
        left = int(re.search(rb"Content-Length: (\d+)", head).group(1)) - len(body)
        while left > 0:
            left -= len(c.recv(65536))

    def early(status):
        def say(c):
            c.recv(1000)
            c.sendall(f"HTTP/1.1 {status} No\r\nContent-Length: 5\r\nConnection: close\r\n\r\nearly".encode())
            while c.recv(65536):  # what it does not want; to close now would reset, which may overtake the answer
                pass
        return say

    def after(*pieces):
        def say(c):
            whole(c)
            for piece in pieces:
                c.sendall(piece)
        return say
    cases = {  # what it does, tries, what the error says
        "an early 403": (early(403), 1, "HTTP 403: early"), "an early 503": (early(503), 2, "HTTP 503: early"),
        "headers of 90 KB": (after(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 90000 + b"\r\nContent-Length: 0\r\n\r\n"), 2, "headers are too long"),
        "300 headers": (after(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 300 + b"Content-Length: 0\r\n\r\n"), 2, "it is no MDN"),
        "3 MB": (after(b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + b"z" * 3000000), 2, "larger than an MDN"),
        "another protocol": (after(b"220 mail.example ESMTP\r\n"), 2, "HTTP/0.9"), "nothing": (after(), 2, "mpty reply"),
        "HTTP/1.0 to the connection's end": (after(b"HTTP/1.0 403 No\r\n\r\nno"), 1, "HTTP 403: no"), "bytes one by one": (after(*(bytes([b]) for b in b"HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno")), 1, "HTTP 404: no"),
        "100 and 102 first": (after(b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 102 Processing\r\n\r\n", b"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno"), 1, "HTTP 403: no")}
    listening = []
    for i, (say, *_) in enumerate(cases.values()):
        peer = p.sender.add(f"raw{i}", retry="[1s]")
        peer.stop()
        listening.append(socket.create_server(("127.0.0.1", peer.port)))
        threading.Thread(target=serve_raw, args=(listening[-1], say), daemon=True).start()
    p.sender.apply()
    body = os.urandom(4 << 20)
    sent = [p.sender.send(f"raw{i}", body if "early" in name else b"small") for i, name in enumerate(cases)]
    for message, (name, (_, tries, error)) in zip(sent, cases.items()):
        m = p.sender.wait(message)
        t.ok(m["delivery"] == "failed" and len(as2_send.events(m, "sent")) == tries and error in m["error"], f"an answer of {name}: failed after {tries}, and says so", ended(m))
    for s in listening:
        s.close()


def serve_raw(listening, say):
    while True:
        try:
            c, _ = listening.accept()
        except OSError:
            return  # closed: the test is over
        with c:
            try:
                say(c)
            except OSError:
                pass  # the sender had enough


def odd_forms(p):
    """What other software writes around a sound message."""
    inner = as2.document(b"odd")
    headers, body = as2.split_entity(p.keys["rsa"].multipart(inner))
    kind = headers["content-type"]
    mark = re.search('boundary="([^"]+)"', kind).group(1)
    last = body.rindex(b"--" + mark.encode())
    for name, type_is, content in (
            ("text before the first boundary", kind, b"This is S/MIME.\r\n\r\n" + body), ("text behind the last one", kind, body + b"\r\nThe end.\r\n"),
            ("no line end at its end", kind, body.rstrip()), ("no last boundary", kind, body[:last]), ("a last boundary that is none", kind, body[:last] + b"--" + mark.encode() + b"\r\n"),
            ("LF alone around the parts", kind, body.replace(b"\r\n--" + mark.encode(), b"\n--" + mark.encode())), ("a boundary without quotes", kind.replace(f'"{mark}"', mark), body),
            ("no boundary in its type", kind.replace(f'; boundary="{mark}"', ""), body), ("no micalg", re.sub("micalg=[^;]*; ", "", kind), body),
            ("no protocol", re.sub("protocol=[^;]*; ", "", kind), body), ("x-pkcs7-signature", kind.replace("pkcs7", "x-pkcs7"), body.replace(b"application/pkcs7", b"application/x-pkcs7")),
            ("a folded type", kind.replace("; ", ";\r\n\t"), body), ("a type in capitals", kind.replace("multipart/signed", "MULTIPART/Signed").replace("boundary", "Boundary"), body)):
        t.equal(p.accepted(b"odd", ({"content-type": type_is}, content, as2.mic(inner))), "", f"signed, {name}")
    cut = body[:body.index(b"pkcs7-signature; name")]
    t.equal(p.refused(({"content-type": kind}, cut, None), "processed/error: authentication-failed"), "", "signed, but cut off within the signature: refused")
    t.equal(p.refused(({"content-type": kind}, body[:200], None), "processed/error: unexpected-processing-error"), "", "cut off within the document: refused")
    whole = p.keys["rsa"].multipart(inner)
    der = as2.split_entity(as2.encrypted(whole, p.n.hub_crypt))[1]
    for kind in ("application/pkcs7-mime", "application/x-pkcs7-mime; smime-type=enveloped-data", "application/pkcs7-mime; smime-type=signed-data", 'Application/PKCS7-MIME; SMIME-TYPE="enveloped-data";'):
        t.equal(p.accepted(b"odd", ({"content-type": kind}, der, as2.mic(inner))), "", f"encrypted, as {kind}")
    for name, before in (("MIME-Version and others inside", b"MIME-Version: 1.0\r\nX-Other: a\r\n b\r\n"), ("names in small letters", b"mime-version:1.0\r\n")):
        sealed_ = sealed(p, before + whole, inner)
        t.equal(p.accepted(b"odd", sealed_), "", f"encrypted, {name}")
    t.equal(p.refused(sealed(p, whole[:-30], inner), "processed/error: decryption-failed"), "", "encrypted, without the last boundary: refused like whatever can't be decrypted")
    mdn = p.n.check_mdn(p.post(*as2.split_entity(p.keys["rsa"].multipart(as2.encrypted(inner, p.n.hub_crypt))))[1])
    t.ok(mdn and mdn.outcome == "processed/error: unexpected-processing-error" and b"sign first" in mdn.report, "encrypted inside of the signature: refused, and told how", mdn)
    for document in (b"", b"\r\n", b"\0"):
        inner = as2.document(document)
        t.equal(p.accepted(document, signed(p, inner)), "", f"a document of {len(document)} bytes, signed")
        t.equal(p.accepted(document, ({"content-type": "application/edi-x12; charset=us-ascii"}, document, as2.mic(document))), "", f"and plain, of {len(document)}")
    for coding in ("gzip", "deflate", "identity, br"):
        response = p.post({"content-type": "application/edi-x12"}, gzip.compress(b"ISA"), Content_Encoding=coding)[1]
        t.ok(response.status == 415 and response.headers.get("accept-encoding") == "identity", f"Content-Encoding: {coding}: 415, for its bytes are not the document's", response)
    for coding in ("identity", "binary"):
        t.equal(p.accepted(b"x", ({"content-type": "text/plain"}, b"x", as2.mic(b"x")), Content_Encoding=coding, Content_MD5="AAAA"), "", f"Content-Encoding: {coding}, and a wrong Content-MD5, are ignored")


def expansion(p):
    """How far a compressed message may expand is each profile's to say."""
    path = os.path.join(p.n.root, "expansion.yaml")
    with open(path, "w") as f:
        f.write(f"kind: partner\nid: blank\nname: Blank Forms\nconnections:\n  - id: blank-as2\n    protocol: as2\n    station: {p.n.station}\n    as2_id: BLANK\n"
                f"    receive: {{require: [], certificates: [{p.keys['rsa'].certificate}], max_expansion: 1100}}\n")
    p.n.apply_profiles(path)
    payload = b" " * (8 << 20)
    headers, body = as2.split_entity(as2.compressed(p.keys["rsa"].multipart(as2.document(payload))))
    made = headers, body, as2.mic(as2.document(payload))
    t.equal(p.refused((headers, body, None), "processed/error: decompression-failed"), "", "8 MiB of blanks in some KiB: refused by default")
    t.equal(p.accepted(payload, made, as2_from="BLANK"), "", "and taken where the profile's max_expansion allows it")


PKCS7, SHA = "signed-receipt-protocol=%s, pkcs7-signature", "signed-receipt-micalg=%s, sha-256"


def receipts_asked_for(p):
    """Disposition-Notification-Options as they come: (is the MDN signed, its outcome)."""
    inner = as2.document(b"receipt")
    headers, body, mic = signed(p, inner)
    no_format, no_mic = "failed/Failure: unsupported format", "failed/Failure: unsupported MIC-algorithms"
    for options, is_signed, outcome in (
            (f"{PKCS7 % 'optional'}; {SHA % 'optional'}", True, "processed"), (f"{PKCS7 % 'Required'}; {SHA % 'Required'}".replace(", ", ","), True, "processed"),
            (f"{SHA % 'required'} ;  {PKCS7 % 'required'}", True, "processed"), (PKCS7 % "required", True, "processed"), (SHA % "optional", True, "processed"),
            (f"Signed-Receipt-Protocol=\"required, PKCS7-Signature\"; Signed-Receipt-MICalg=\"required, SHA256\"", True, "processed"),
            (f"{PKCS7 % 'required'}; {SHA % 'required'}; something=required, else", True, "processed"),
            ("signed-receipt-protocol=optional; signed-receipt-micalg=optional", False, "processed"), ("signed-receipt-protocol=optional, pgp-signature; " + SHA % "optional", False, "processed"),
            ("signed-receipt-protocol=required, pgp-signature; " + SHA % "required", False, no_format), ("signed-receipt-protocol=required", False, no_format),
            (f"{PKCS7 % 'required'}; signed-receipt-micalg=required, md6", True, no_mic), (f"{PKCS7 % 'required'}; signed-receipt-micalg=optional, md6", True, "processed"),
            ("nonsense", False, "processed"), ("", False, "processed")):
        response = p.post(headers, body, **{"Disposition-Notification-Options": options})[1]
        mdn = p.n.check_mdn(response)
        t.ok(mdn and mdn.outcome == outcome and mdn.verified == is_signed and (outcome != "processed" or mdn.mic == mic),
             f"{options or 'no options'}: {'signed' if is_signed else 'unsigned'}, {outcome}", mdn or response)
    for version, outcome in (("1.2", "authentication-failed"), ("1.3", "unknown-trading-relationship")):
        mdn = p.n.check_mdn(p.post(headers, body, as2_from="STRANGER", AS2_Version=version)[1])
        t.ok(mdn and mdn.verified and mdn.outcome == f"processed/error: {outcome}", f"a stranger of AS2 {version} is told {outcome}", mdn)
    for as2_to in (demo.HUB_AS2, "NOBODY"):
        mdn = p.n.check_mdn(p.post(headers, body, as2_from=as2_to, AS2_To=as2_to)[1])
        t.ok(mdn and mdn.outcome == "failed/Failure: sender-equals-receiver", f"AS2-From and AS2-To are both {as2_to}: a failure with a name of its own", mdn)


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
             "the key": lambda: changed(key_at + 200), "the key's first byte": lambda: changed(key_at), "the content's first block": lambda: changed(content_at),
             "a key above the modulus": lambda: der[:key_at] + b"\xff" * 256 + der[key_at + 256:]}
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
        n.peer_keys = demo.make_certificate(n.peers, "peer")
        p.sender = as2_send.Sender(n)
        for group in (item_1_line_ends, item_2_missing_encoding, item_3_wrong_encodings, item_4_mic_of_compressed, item_5_spellings, item_6_attributes,
                      item_7_names, item_8_message_ids, item_9_chunked_is_refused, item_10_chunks, item_11_large_messages, item_12_asynchronous_mdns, mdns_over_tls,
                      item_13_mdn_lost, item_14_retry_of_a_failure, item_15_roll_over, item_16_certificates, item_17_oaep, item_18_content_types_of_mdns,
                      item_19_file_names, item_20_head, item_20_what_mdns_lack, refusals_with_an_mdn, raw_answers, repeats, odd_forms, expansion, receipts_asked_for,
                      decryption_tells_nothing, common.stored):
            t.run(group, p)
        p.sender.stop()
        n.tell(t)
    return t.done()


if __name__ == "__main__":
    sys.exit(main())
