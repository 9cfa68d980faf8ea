"""as2-receive-4g: one signed and encrypted message of 4 GiB. Its speed against that of a program that only writes the body,
decrypts, hashes and writes the content (large_reference.c), and how much resident memory it costs all roles together.

$VAN_LARGE_MIB sets another size in MiB. Needs five times the size on the disk of $TMPDIR."""

import base64
import hashlib
import os
import shutil
import subprocess
import threading
import time

import demo

TARGET = 0.60
MEMORY_MAX = 64 << 20
PIECE = 1 << 20


def resident(root):
    """Bytes resident in a process and its descendants."""
    total = 0
    for pid in [root, *demo.descendants(root)]:
        try:
            with open(f"/proc/{pid}/statm") as f:
                total += int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            continue  # it has ended
    return total


class MemoryWatch:
    """The most that was resident while it ran."""

    def __init__(self, root):
        self.root, self.peak, self.ended = root, 0, threading.Event()
        self.before = resident(root)
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.ended.wait(0.1):
            self.peak = max(self.peak, resident(self.root))

    def growth(self):
        self.ended.set()
        self.thread.join()
        return self.peak - self.before


def make_message(n, size, path):
    """Writes the body and returns (SHA-256 of the payload, MIC). openssl streams it: nothing is held in memory."""
    sign = ["openssl", "cms", "-sign", "-stream", "-binary", "-crlfeol", "-signer", n.buyer_cert, "-inkey", n.buyer_key, "-md", "sha256",
            "-outform", "SMIME"]
    seal = ["openssl", "cms", "-encrypt", "-stream", "-binary", "-aes-256-cbc", "-outform", "DER", "-out", path, n.hub_crypt]
    signer = subprocess.Popen(sign, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    sealer = subprocess.Popen(seal, stdin=signer.stdout)
    signer.stdout.close()
    head = b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    payload, mic, piece = hashlib.sha256(), hashlib.sha256(head), bytearray(os.urandom(PIECE))
    signer.stdin.write(head)
    for i in range(size // PIECE):
        piece[:8] = i.to_bytes(8, "big")
        payload.update(piece)
        mic.update(piece)
        signer.stdin.write(piece)
    signer.stdin.close()
    if signer.wait() or sealer.wait():
        raise RuntimeError("openssl cms could not make the message")
    return payload.hexdigest(), base64.b64encode(mic.digest()).decode()


def reference(body, folder):
    done = subprocess.run([demo.bench_program("large_reference"), body, folder], stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout)


def post(n, path, message_id):
    """Posts with curl from the file: (seconds, Response)."""
    head, answer = os.path.join(n.root, "head"), os.path.join(n.root, "answer")
    argv = ["curl", "-sS", "--max-time", "3600", "-X", "POST", "-T", path, "-o", answer, "-D", head, "-H", "Expect:"]
    for name, value in n.as2_headers(message_id).items():
        argv += ["-H", f"{name}: {value}"]
    start = time.monotonic()
    done = subprocess.run(argv + [n.as2_url], stderr=subprocess.PIPE)
    seconds = time.monotonic() - start
    return seconds, demo.Response(demo.read(head), demo.read(answer) if os.path.exists(answer) else b"", done.returncode,
                                  done.stderr.decode("utf-8", "replace"))


def check(n, response, message_id, digest, mic):
    mdn = n.check_mdn(response)
    if not mdn or not mdn.verified or mdn.outcome != "processed" or mdn.mic != mic:
        raise RuntimeError(f"not accepted: {response} {mdn}")
    found = [m for m in n.messages("--search", message_id) if m["as2_message_id"] == message_id]
    if len(found) != 1:
        raise RuntimeError(f"stored {len(found)} times")
    get = subprocess.Popen([demo.program("vanctl"), "-c", n.config, "message", "get", found[0]["id"]], stdout=subprocess.PIPE)
    stored = hashlib.file_digest(get.stdout, "sha256").hexdigest()
    if get.wait() or stored != digest:
        raise RuntimeError("the stored payload is not what was sent")


def run(quick=False):
    size = int(os.environ.get("VAN_LARGE_MIB") or (512 if quick else 4096)) << 20
    with demo.Network(config={"limits": "{in_flight: 16GiB}"}) as n:
        if shutil.disk_usage(n.root).free < 5 * size + (1 << 30):
            raise RuntimeError(f"{5 * size >> 30} GiB have to be free in {n.root}")
        n.up()
        body = os.path.join(n.root, "body")
        print(f"as2-receive-4g, {size >> 20} MiB:", flush=True)
        digest, mic = make_message(n, size, body)
        n.send(b"warm")
        n.drain()
        before = reference(body, n.dir)
        message_id = n.message_id("large")
        watch = MemoryWatch(n.vand.pid)
        seconds, response = post(n, body, message_id)
        n.drain(600)
        growth = watch.growth()
        check(n, response, message_id, digest, mic)
        after = reference(body, n.dir)
    least = (before + after) / 2
    print(f"  received in {seconds:.1f} s, {size / seconds / 1e6:.0f} MB/s; reference {before:.1f} s and {after:.1f} s")
    print(f"  resident memory of all roles grew by {growth / (1 << 20):.1f} MiB at most (target below {MEMORY_MAX >> 20})")
    return least / seconds, TARGET, growth < MEMORY_MAX
