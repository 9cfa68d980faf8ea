#!/usr/bin/python3
"""Bad input: each gets the right answer, stays visible where it is a message, and changes nothing else.

    bad_input.py [--quick]       --quick sends 64 MB of garbage, not 1 GB
"""

import http.client
import os
import socket
import sys
import time

import demo
import tap
import x12

t = tap.Tap()
QUICK = "--quick" in sys.argv
control = 7000


def order(receiver=demo.ALPHA):
    global control
    control += 1
    return x12.order_850(demo.BUYER, receiver, control, f"BAD-{control}")


def snapshot(n):
    """What must not change: accepted messages, mailboxes, queue."""
    n.drain()
    return (sorted(m["id"] for m in n.messages() if m["state"] != "rejected"), n.sftp_list("alpha"), n.sftp_list("beta"),
            n.sftp_list("buyer"))


def unchanged(n, name, before):
    after = snapshot(n)
    t.equal(after, before, f"{name}: nothing else changed")


def rejected_ids(n):
    return {(m["as2_message_id"] or "").strip("<>") for m in n.messages("--state", "rejected")}


def error_mdn(n, name, body, expected, message_id=None, retry=None, **changes):
    """A post that is answered by a signed MDN with an error, and is listed as rejected."""
    before = snapshot(n)
    message_id = message_id or n.message_id("bad")
    response = n.post(body, message_id, **changes)
    mdn = n.check_mdn(response)
    t.ok(mdn and mdn.verified, f"{name}: answered by a signed MDN", f"{response} {mdn}")
    t.ok(mdn and mdn.outcome.replace("failed/failure", "processed/error").lower() in [f"processed/error: {e}" for e in expected],
         f"{name}: processed/error: {' or '.join(expected)}", mdn)
    t.ok(message_id.strip("<>") in rejected_ids(n), f"{name}: listed as rejected", n.messages("--direction", "in", "--limit", "3"))
    unchanged(n, name, before)
    if retry:
        again = n.check_mdn(n.post(retry, message_id, **changes))
        t.ok(again and again.outcome == "processed", f"{name}: the same Message-ID, sound this time, is accepted", again)


def refused(n, name, response, statuses, before):
    t.ok(response.status in statuses, f"{name}: HTTP {' or '.join(map(str, statuses))}", response)
    unchanged(n, name, before)


def wrong_keys(n):
    stranger, stranger_key = demo.make_certificate(n.peers, "stranger")
    payload = order()
    sound, _ = n.as2_body(payload)
    body, _ = demo.as2_body(payload, n.buyer_cert, n.buyer_key, stranger, n.root)
    error_mdn(n, "encrypted for another key", body, ["decryption-failed"], retry=sound)
    payload = order()
    body, _ = demo.as2_body(payload, stranger, stranger_key, n.hub_crypt, n.root)
    error_mdn(n, "signed by a stranger", body, ["authentication-failed", "integrity-check-failed"], retry=n.as2_body(payload)[0])


def broken_signature(n):
    payload = order()
    body, _ = n.as2_body(payload)
    broken, sealed = (os.path.join(n.root, x) for x in ("broken", "sealed"))
    signed, _ = n.as2_body(payload, encrypt=False)
    with open(broken, "wb") as f:
        f.write(signed.replace(b"BAD-", b"BAX-", 1))
    demo.run(["openssl", "cms", "-encrypt", "-binary", "-aes-256-cbc", "-in", broken, "-outform", "DER", "-out", sealed, n.hub_crypt])
    error_mdn(n, "content changed after signing", demo.read(sealed), ["integrity-check-failed", "authentication-failed"], retry=body)


def damaged_bodies(n):
    body, _ = n.as2_body(order())
    error_mdn(n, "truncated body", body[:len(body) // 2], ["decryption-failed", "unexpected-processing-error"])
    flipped = bytearray(body)
    flipped[len(flipped) - 40] ^= 0x55
    error_mdn(n, "ciphertext damaged", bytes(flipped), ["decryption-failed", "integrity-check-failed", "unexpected-processing-error",
                                                         "authentication-failed"])
    flipped = bytearray(body)
    at = body.find(bytes.fromhex("2a864886f70d010101"))  # rsaEncryption of the recipient; the wrapped key follows
    flipped[at + 40] ^= 0x55
    error_mdn(n, "wrapped key damaged", bytes(flipped), ["decryption-failed"])
    error_mdn(n, "garbage that calls itself CMS", os.urandom(5000), ["decryption-failed", "unexpected-processing-error"])
    error_mdn(n, "an empty body", b"", ["decryption-failed", "unexpected-processing-error"])


def missing_security(n):
    plain, _ = n.as2_body(order(), sign=False, encrypt=False)
    error_mdn(n, "neither signed nor encrypted", plain.split(b"\r\n\r\n", 1)[1], ["insufficient-message-security"],
              Content_Type="application/edi-x12")
    unsigned, _ = n.as2_body(order(), sign=False)
    error_mdn(n, "encrypted but not signed", unsigned, ["insufficient-message-security"])


def unknown_partner(n):
    before = snapshot(n)
    body, _ = n.as2_body(order())
    for name, changes in (("unknown AS2-From", {"AS2_From": "NOBODY"}), ("unknown AS2-To", {"AS2_To": "NOBODY"})):
        response = n.post(body, n.message_id("unknown"), **changes)
        mdn = n.check_mdn(response)
        said = mdn and mdn.outcome.startswith(("processed/error", "failed/failure", "processed/Error"))
        t.ok(said or 400 <= response.status < 500, f"{name}: an error MDN or 4xx", f"{response} {mdn}")
        unchanged(n, name, before)
    for header in ("AS2_From", "AS2_To", "Message_ID"):
        response = n.post(body, n.message_id("missing"), **{header: None})
        t.ok(400 <= response.status < 500 or (n.check_mdn(response) or demo.Mdn(b"", False, "")).outcome.startswith("processed/error"),
             f"no {header.replace('_', '-')}: refused", response)
    unchanged(n, "missing headers", before)


def http_refusals(n):
    before = snapshot(n)
    port = n.ports["as2"]

    def raw(head, body=b""):
        with socket.create_connection(("127.0.0.1", port), demo.PATIENCE) as s:
            try:
                s.sendall(head + body)
            except OSError:
                pass
            answer = b""
            try:
                while b"\r\n\r\n" not in answer:
                    more = s.recv(65536)
                    if not more:
                        break
                    answer += more
            except OSError:
                pass
            return demo.Response(answer, b"")

    head = b"POST /as2 HTTP/1.1\r\nHost: x\r\n"
    refused(n, "headers of 1 MB", raw(head + b"X-Filler: " + b"a" * (1 << 20) + b"\r\nContent-Length: 0\r\n\r\n"), (400, 413, 431, 0), before)
    many = b"".join(b"X-%d: y\r\n" % i for i in range(50000))
    refused(n, "50,000 headers", raw(head + many + b"Content-Length: 0\r\n\r\n"), (400, 413, 431, 0), before)
    refused(n, "Content-Length with Transfer-Encoding", raw(head + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), (400,), before)
    refused(n, "two Content-Lengths", raw(head + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"), (400,), before)
    refused(n, "a blank before the colon of Content-Length", raw(head + b"Content-Length : 5\r\n\r\nhello"), (400,), before)
    refused(n, "another Transfer-Encoding", raw(head + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), (400,), before)
    folded = b"AS2-From:\r\n STRANGER\r\nAS2-To: HUBNET\r\nMessage-ID:\r\n\t<folded@x>\r\nContent-Length: 5\r\n\r\nhello"
    t.equal(raw(head + folded).status, 403, "folded headers are read: a stranger is told that it is unknown")
    before = snapshot(n)
    refused(n, "another path", raw(b"POST /other HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"), (404,), before)
    response = raw(b"DELETE /as2 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
    refused(n, "another method", response, (405,), before)
    refused(n, "not HTTP", raw(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(300)), (400, 0), before)
    with socket.create_connection(("127.0.0.1", port), demo.PATIENCE) as s:  # a body that stops half way
        s.sendall(head + b"AS2-From: BUYER\r\nAS2-To: HUBNET\r\nMessage-ID: <half@x>\r\nContent-Length: 100000\r\n\r\n" + b"x" * 5000)
    time.sleep(0.3)
    unchanged(n, "a sender that goes away half way", before)
    t.ok("half@x" not in str(n.messages("--direction", "in")), "a sender that goes away half way leaves no message")


def much_garbage(n):
    size = (64 << 20) if QUICK else (1 << 30)
    before = snapshot(n)
    resident = {p: rss(p) for p in n.tree()}
    message_id = n.message_id("garbage")
    block = os.urandom(1 << 20)
    connection = http.client.HTTPConnection("127.0.0.1", n.ports["as2"], timeout=300)
    status, body, headers = 0, b"", {}
    try:
        connection.putrequest("POST", "/as2", skip_accept_encoding=True)
        for name, value in n.as2_headers(message_id).items():
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(size))
        connection.endheaders()
        peak = 0
        for i in range(size >> 20):
            connection.send(block)
            if i % 64 == 63:
                peak = max(peak, sum(max(0, rss(p) - resident.get(p, 0)) for p in n.tree()))
        answer = connection.getresponse()
        status, headers, body = answer.status, answer.headers, answer.read()
        t.ok(peak < 64 << 20, f"garbage of {size >> 20} MB: memory of all roles grows by less than 64 MiB", f"{peak >> 20} MiB")
    except OSError as error:
        t.diag(f"garbage: {error}")
    connection.close()
    mdn = n.check_mdn(demo.Response(f"HTTP/1.1 {status}\r\nContent-Type: {headers.get('Content-Type', '')}\r\n\r\n".encode(), body)) if body else None
    t.ok((mdn and mdn.outcome.startswith("processed/error")) or 400 <= status < 500 or status == 0,
         f"garbage of {size >> 20} MB: an error MDN or 4xx", f"{status} {mdn}")
    unchanged(n, f"garbage of {size >> 20} MB", before)


def rss(pid):
    try:
        with open(f"/proc/{pid}/statm") as f:
            fields = f.read().split()
        return (int(fields[1]) - int(fields[2])) * 4096  # without shared and mapped files
    except (OSError, IndexError):
        return 0


def malformed_edi(n):
    """The MDN says that bytes arrived; what is wrong with the EDI is said by 997 and state."""
    cases = [
        ("wrong segment count", "SE*", "SE*9", "R"),
        ("a segment that is none of 850's", "CUR*BY*USD~", "QQQ*BY*USD~", "RE"),
        ("a mandatory element missing", "BEG*00*SA*", "BEG**SA*", "RE"),
        ("an element too long", "N3*1 MAIN STREET~", "N3*" + "X" * 80 + "~", "RE"),
    ]
    for name, was, is_now, statuses in cases:
        before = set(n.sftp_list("buyer"))
        text = order().decode().replace(was, is_now, 1)
        _, mdn, _, message_id = n.send(text.encode())
        t.ok(mdn and mdn.outcome == "processed", f"{name}: the MDN is positive", mdn)
        n.drain()
        new = [d for f, d in n.sftp_fetch("buyer").items() if f not in before]
        groups = [g for d in new for g in x12.acknowledged_groups(d)]
        t.ok(len(groups) == 1 and groups[0][1] == control and groups[0][2] in statuses, f"{name}: a 997 with the error", (groups, new))
        codes = [s for d in new for s in x12.segments(d) if s[0] in ("AK3", "AK4", "AK5", "AK9")]
        t.ok(any(len(s) > 2 for s in codes), f"{name}: and its codes", codes)
        listed = [m for m in n.messages("--direction", "in") if (m["as2_message_id"] or "").strip("<>") == message_id.strip("<>")]
        t.equal(len(listed), 1, f"{name}: listed once")
    for name, data in (("not EDI at all", b"%PDF-1.4 nothing here"), ("an ISA cut short", order()[:80]),
                       ("an interchange without its end", order()[:-30]), ("bytes of 0xFF", b"\xff" * 3000)):
        before_alpha = n.sftp_list("alpha")
        _, mdn, _, message_id = n.send(data)
        t.ok(mdn and mdn.outcome == "processed", f"{name}: the MDN is positive", mdn)
        n.drain()
        found = [m for m in n.messages("--direction", "in") if (m["as2_message_id"] or "").strip("<>") == message_id.strip("<>")]
        t.ok(len(found) == 1 and found[0]["state"] in ("rejected", "unroutable", "held") and found[0]["error"],
             f"{name}: visible, with a reason", found)
        t.equal(n.sftp_list("alpha"), before_alpha, f"{name}: not delivered")


def file_names(n):
    """Path traversal and other odd names over SFTP, by a client that sends exactly what it is told."""
    try:
        import paramiko
    except ImportError:
        raise tap.Skip("no paramiko")
    before = snapshot(n)
    outside = os.path.join(n.dir, "escaped")
    transport = demo.sftp_transport(("127.0.0.1", n.ports["sftp"]))
    transport.connect(username="beta", pkey=paramiko.Ed25519Key.from_private_key_file(n.keys["beta"][0]))
    sftp = paramiko.SFTPClient.from_transport(transport)

    def put(name):
        try:
            with sftp.open(name, "wb") as f:
                f.write(b"escaped")
            return "accepted"
        except (OSError, paramiko.SSHException) as error:
            return str(error)

    for name in ("/in/../../escaped", "../../../../../../" + outside, "/etc/openvan-escaped", "/escaped", "/out/escaped",
                 "/in/sub/escaped", "/in/archive/escaped", "/in/" + "n" * 300, "/in/..", "/in/", "/in/."):
        said = put(name)
        t.ok(said != "accepted", f"upload to {tap.short(name, 60)} is refused", said)
    for name in ("/in/../../../etc/passwd", "/../etc/passwd", "/out/../../keys/sign.key", outside):
        try:
            sftp.open(name, "rb").read()
            t.ok(False, f"reading {name} is refused")
        except (OSError, paramiko.SSHException) as error:
            t.ok(True, f"reading {name} is refused: {error}")
    for what, call in (("mkdir", lambda: sftp.mkdir("/in/folder")), ("symlink", lambda: sftp.symlink("/etc/passwd", "/in/link")),
                       ("rename out of the mailbox", lambda: sftp.rename("/out/nothing", "/etc/x")), ("rmdir", lambda: sftp.rmdir("/out"))):
        try:
            call()
            t.ok(False, f"{what} is refused")
        except (OSError, paramiko.SSHException):
            t.ok(True, f"{what} is refused")
    t.ok(not os.path.exists(outside) and not os.path.exists("/etc/openvan-escaped"), "no file appeared outside")
    unchanged(n, "odd file names", before)
    sftp.listdir("/in")
    t.ok(True, "the session still works")
    ack = x12.ack_997(demo.BETA, demo.BUYER, 8801, 12345)
    for name in ("/in/naïve ✓ name.edi", "/in/-rf *.edi", "/in/a;b|c$(d).edi", "/in/CON", "/in/%2e%2e%2fx"):
        with sftp.open(name, "wb") as f:
            f.write(ack)
        t.ok(True, f"{name} is a file name like any other")
    transport.close()
    n.drain()
    names = [m["file_name"] for m in n.messages("--direction", "in") if m["file_name"]]
    t.ok("CON" in names and "naïve ✓ name.edi" in names, "and is listed as it was sent", names)
    other = n.sftp("beta", "ls /out", "cd /in/../../../", "pwd", check=False)
    t.ok(b"/\n" in other.stdout or other.returncode != 0, "the root is the mailbox", other)


def strangers_on_sftp(n):
    stranger, _ = demo.make_ssh_key(n.root, "stranger")
    for user in ("beta", "nobody-here", "root", "beta\n", "../alpha"):
        done = demo.run(["sftp", "-q", "-b", "-", "-i", stranger, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o",
                         "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-P", n.ports["sftp"], "-o", f"User={user}",
                         "127.0.0.1"], input=b"ls\n", check=False)
        t.ok(done.returncode != 0, f"user {user!r} with an unknown key is refused", done)
    with socket.create_connection(("127.0.0.1", n.ports["sftp"]), demo.PATIENCE) as s:
        try:
            s.sendall(os.urandom(100000))
        except ConnectionError:
            pass  # it has seen enough
    t.equal(n.sftp("beta", "ls /").returncode, 0, "after garbage on the port log-in still works")


def still_sound(n):
    payload = order()
    response, mdn, mic, _ = n.send(payload)
    t.ok(mdn and mdn.verified and mdn.outcome == "processed" and mdn.mic == mic, "after all that an order is accepted", f"{response} {mdn}")
    n.check_sound(t)
    t.equal(n.stop(), 0, "SIGTERM ends it cleanly")


def main():
    if not demo.available():
        tap.skip_all("vand is not built")
    with demo.Network(keep="--keep" in sys.argv) as n:
        n.up()
        n.run_groups(t, (wrong_keys, broken_signature, damaged_bodies, missing_security, unknown_partner, http_refusals, much_garbage,
                          malformed_edi, file_names, strangers_on_sftp, still_sound))
    return t.done()


if __name__ == "__main__":
    sys.exit(main())
