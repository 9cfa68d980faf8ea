"""as2-send and as2-async: one OpenVAN sends to another. Each is measured by itself: the CPU of all its roles for a message, against
that of the RSA operations that nobody can do without.

as2-send   the sender: one private operation (its signature), two public ones (the content key, the MDN's signature)
as2-async  the receiver, its MDN delivered later: two private ones (the content key, the MDN's signature), one public
"""

import os
import re
import subprocess
import time

import bench_as2
import demo
import x12

SIZE = 10240
PARTNERS = 8


def public_cpu(seconds=1):
    """CPU seconds of one RSA-2048 public operation, all cores busy."""
    cores = len(os.sched_getaffinity(0))
    running = [subprocess.Popen(["openssl", "speed", "-seconds", str(seconds), "rsa2048"], stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True) for _ in range(cores)]
    rates = [float(re.search(r"rsa\s+2048 bits.*\s([0-9.]+)\s*$", p.communicate()[0], re.M).group(1)) for p in running]
    return sum(1 / r for r in rates) / cores


def partner(other, own, connections):
    return f"kind: partner\nid: {own}\nidentities: [{{standard: x12, id: \"ZZ:{own.upper()}\"}}]\nconnections:\n" + "".join(connections)


def connection(me, other, name, station, as2_id, url, mode="sync", retry=10):
    return f"""  - id: {name}
    protocol: as2
    station: {station}
    as2_id: {as2_id}
    mdn_host: 127.0.0.1
    receive: {{certificates: [{other.hub_sign}]}}
    send:
      url: "{url}"
      certificates: [{other.hub_crypt}]
      mdn: {{mode: {mode}, signed: true, timeout: 120s, url: "{me.as2_url}/mdn"}}
      retry: [{retry}s, 10s, 10s]
"""


def station(n, name, as2_id):
    keys = os.path.join(n.dir, "keys")
    return (f"kind: station\nid: {name}\nas2:\n  id: {as2_id}\n  sign: [{{certificate: {n.hub_sign}, key: {keys}/sign.key}}]\n"
            f"  decrypt: [{{certificate: {n.hub_crypt}, key: {keys}/decrypt.key}}]\n")


def apply(n, documents):
    path = os.path.join(n.root, "pair.yaml")
    with open(path, "w") as f:
        f.write("---\n".join(documents))
    n.apply_profiles(path)


def apply_sender(a, b, url, mode, retry):
    """One partner for each station of the receiver: their lanes run side by side."""
    apply(a, [station(a, "a", "OVAN-A")] + [partner(b, f"b{i}", [connection(a, b, f"b{i}-as2", "a", f"OVAN-B{i}", url, mode, retry)])
                                            for i in range(PARTNERS)])


def apply_receiver(b, a):
    apply(b, [station(b, f"s{i}", f"OVAN-B{i}") for i in range(PARTNERS)] +
          [partner(a, "a", [connection(b, a, f"a{i}-as2", f"s{i}", "OVAN-A", a.as2_url) for i in range(PARTNERS)])])


def order(number):
    payload = x12.order_850(demo.HUB, demo.BETA, number % 900000000 + 1, f"PO-{number}")
    return payload + b"\n" * max(0, SIZE - len(payload))


def queue(a, count):
    """Messages whose first try fails at once: they wait together for the second."""
    path = os.path.join(a.root, "order.edi")
    for i in range(count):
        with open(path, "wb") as f:
            f.write(order(i))
        a.vanctl("message", "send", "--from", "a", "--to", f"b{i % PARTNERS}", path)


def start_idle(n):
    """CPU of starting, and of a few seconds with nothing due."""
    n.kill()
    n.start()
    time.sleep(3)
    return bench_as2.tree_cpu(n.vand.pid), bench_as2.role_cpu(n)


def measure(quick, mode, whose):
    """All messages are due when the sender starts: so many are under way as its limits allow. What starting costs is taken off."""
    count = 400 if quick else 2000
    with demo.Network() as a, demo.Network() as b:
        for n in (a, b):
            n.create()
            n.start()
        apply_receiver(b, a)
        pause = 20 + count // 15
        apply_sender(a, b, "http://127.0.0.1:9/closed", mode, pause)
        private, public = [bench_as2.rsa_cpu()], [public_cpu()]
        begun = time.monotonic()
        queue(a, count)
        apply_sender(a, b, b.as2_url, mode, 10)
        due = time.monotonic() + pause
        if due - begun > 3 * pause:
            raise RuntimeError("this machine is too busy to queue the messages in time")
        idle, idle_roles = start_idle(a)
        a.kill()
        time.sleep(max(0, due - time.monotonic()))
        before, roles_before = bench_as2.tree_cpu(b.vand.pid), bench_as2.role_cpu(b)
        start = time.monotonic()
        a.start()
        demo.wait_for("all to be delivered", lambda: not a.json("queue", "list", "--limit", "1"), 400, 2)
        took = time.monotonic() - start
        b.drain(60)
        demo.wait_for("MDNs", lambda: not b.json("queue", "list", "--limit", "1"), 60, 1)
        n = a if whose == "sender" else b
        if whose == "sender":
            before, roles_before = idle, idle_roles
        cpu = (bench_as2.tree_cpu(n.vand.pid) - before) / count
        roles = {r: (c - roles_before.get(r, 0)) / count * 1e6 for r, c in bench_as2.role_cpu(n).items()}
        sound = len(a.messages("--delivery", "delivered", "--direction", "out")) == count
        private.append(bench_as2.rsa_cpu())
        public.append(public_cpu())
    private, public = sum(private) / len(private), sum(public) / len(public)
    print(f"  {count} messages of {SIZE} bytes, MDN {mode}; the {whose}: CPU {cpu * 1e6:.0f} µs a message "
          f"({', '.join(f'{r} {c:.0f}' for r, c in sorted(roles.items()) if c >= 1)}); all delivered: {sound}; {count / took:.0f}/s")
    print(f"  RSA-2048: private {private * 1e6:.0f} µs, public {public * 1e6:.0f} µs")
    return cpu, private, public, sound


def send(quick=False):
    cpu, private, public, sound = measure(quick, "sync", "sender")
    return (private + 2 * public) / cpu, 0.40, sound


def asynchronous(quick=False):
    cpu, private, public, sound = measure(quick, "async", "receiver")
    return (2 * private + public) / cpu, 0.45, sound
