#!/usr/bin/python3
"""kill -9 around every step of sending: nothing is lost, nothing is doubled. The partner counts by Message-ID.

    send.py [--seed N] [--quick]
"""

import argparse
import collections
import os
import random
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))

import as2_send  # noqa: E402
import demo  # noqa: E402
import tap  # noqa: E402

BATCH = 8
POINTS = ["worker-before-packaged", "store-before-flush", "store-after-flush", "store-before-deliver", "deliver-before-send",
          "deliver-mid-body", "deliver-before-answer", "deliver-after-answer", "store-after-deliver", "worker-before-verdict",
          "keyd-before-sign"]
ROLES = ["store", "keyd", "http", "worker", "deliver", "supervisor", "tree"]
MODES = {"sync": "mode: sync", "async": "mode: async", "plain": "mode: none"}

t = tap.Tap()


class Campaign:
    """Partners with each kind of MDN; every payload is another, so that what arrived can be told apart."""

    def __init__(self, n, chance):
        self.n, self.chance = n, chance
        self.s = as2_send.Sender(n)
        for name, mdn in MODES.items():
            # an asynchronous MDN that comes while nobody is there is asked for again soon
            self.s.add(name, mdn=mdn, timeout="5s" if name == "async" else "1m", retry=as2_send.AGAIN_AND_AGAIN)
        self.s.apply()
        self.sent = {}  # message: (partner, payload)

    def hold(self, held):
        for peer in self.s.peers.values():
            peer.behaviour = "503" if held else self.answer
        self.held = held

    def answer(self, message_id):
        return "good"

    def queue(self):
        """A batch whose first tries are refused, so that it waits when vand is started with a fault."""
        self.hold(True)
        made = []
        for i in range(BATCH):
            name = list(MODES)[i % len(MODES)]
            payload = b"payload %d " % len(self.sent) + os.urandom((20, 2000, 400000)[i // 3])
            message = self.s.send(name, payload)
            self.sent[message] = (name, payload)
            made.append(message)
        return made

    def settle(self, made, timeout=3 * demo.PATIENCE):
        deadline = time.monotonic() + timeout
        left = list(made)
        while left and time.monotonic() < deadline:
            left = [m for m in left if self.s.show(m)["delivery"] != "delivered"]
            time.sleep(0.1)
        return [(m, self.s.show(m)["delivery"], self.s.show(m)["error"]) for m in left]

    def check(self, name, made, left):
        t.equal(left, [], f"{name}: everything is delivered")
        for partner, peer in self.s.peers.items():
            mine = {p for who, p in self.sent.values() if who == partner}
            got = collections.Counter(m.payload for m in peer.messages.values())
            lost = [p[:20] for p in mine if not got[p]]
            doubled = [p[:20] for p, count in got.items() if count > 1 or p not in mine]
            t.ok(not lost and not doubled, f"{name}: {partner}: nothing lost, nothing doubled", f"lost {lost} doubled {doubled}")
        wrong = [m for m in made if not self.receipts(m)]
        t.equal(wrong, [], f"{name}: receipts of each message: a try, its MDN where there is one, delivered once")

    def receipts(self, message):
        shown = self.s.show(message)
        mdn = 0 if self.sent[message][0] == "plain" else 1
        return (len(as2_send.events(shown, "delivered")) == 1 and len(as2_send.events(shown, "mdn-received")) == mdn and
                as2_send.events(shown, "sent"))


def named_points(c, points):
    n = c.n
    for point in points:
        made = c.queue()
        n.kill()
        c.hold(False)
        nth = 1 if point == "deliver-mid-body" else c.chance.randint(1, 4)  # long bodies are few
        logged = len(n.log())
        n.start(environment={"OPENVAN_FAULT": f"{point}:{nth}"})
        fired = n.wait_killed(point.split("-")[0], logged)
        time.sleep(c.chance.uniform(0, 1))
        n.kill()
        n.start()
        left = c.settle(made)
        t.ok(fired, f"{point}:{nth}: the point was reached", "no role died there")
        c.check(f"{point}:{nth}", made, left)


def random_kills(c, roles):
    n = c.n
    for role in roles:
        made = c.queue()
        c.hold(False)
        for message in made:
            n.vanctl("queue", "retry", message, check=False)
        time.sleep(c.chance.uniform(0, 0.3))
        if role == "tree":
            n.kill()
        elif role == "supervisor":
            n.vand.kill()
            n.vand.wait()
        else:
            os.kill(c.chance.choice(demo.wait_for(role, lambda: n.role_pids(role))), signal.SIGKILL)
        if role in ("tree", "supervisor"):
            n.kill()
            n.start()
        c.check(f"kill -9 of {role}", made, c.settle(made))


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--seed", type=int, default=int(time.time()))
    options.add_argument("--quick", action="store_true")
    options.add_argument("--points", nargs="*")
    options = options.parse_args()
    if not demo.available():
        tap.skip_all("vand is not built")
    t.diag(f"seed {options.seed}")
    chance = random.Random(options.seed)
    points = options.points if options.points is not None else chance.sample(POINTS, 3) if options.quick else POINTS
    roles = chance.sample(ROLES, 2) if options.quick else [] if options.points else ROLES
    with demo.Network() as n:
        n.create()
        n.peer_keys = demo.make_certificate(n.peers, "peer")
        n.start()
        c = Campaign(n, chance)
        t.run(random_kills, c, roles)
        t.run(named_points, c, points)
        t.equal(n.stop(), 0, "vand stops cleanly")
        c.s.stop()
        n.tell(t)
    return t.done()


if __name__ == "__main__":
    sys.exit(main())
