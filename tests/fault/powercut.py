#!/usr/bin/python3
"""Power cuts: the whole tree is killed, and it starts again on what flushes had made durable.

    powercut.py [--seed N] [--cuts N] [--quick]

Half of the cuts leave exactly what was flushed, half let pages that were not reach the disk by chance. Before the cuts,
the order of flushes and answers is checked: no MDN leaves before a flush that began after its message had arrived.
"""

import argparse
import os
import random
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))

import campaign  # noqa: E402
import demo  # noqa: E402
import shadow  # noqa: E402
import tap  # noqa: E402

BATCH = 8
t = tap.Tap()


def data_folder(n):
    return os.path.join(n.dir, "data")


def first_start(n, s):
    """A cut right after the very first start: what `partner apply` said is done must be there."""
    s.begin()
    n.start(environment=s.environment())
    s.check(n.role_pids("store")[0])
    n.apply_profiles()
    n.kill()
    s.cut()
    n.start(environment=s.environment())
    t.equal(sorted(p["id"] for p in n.json("partner", "list") if p["id"] != n.station), ["alpha", "beta", "buyer"],
            "profiles applied in the first second survive a cut")
    n.kill()
    s.cut()


def cuts(n, c, chance, batches, s, count):
    for i in range(count):
        s.delay = chance.choice([0, 2000, 20000])
        n.start(environment=s.environment())
        batch = next(batches)
        c.post(batch)
        c.upload()
        if chance.random() < 0.3:  # what a killed store wrote without a flush, the next one may take for safe
            time.sleep(chance.uniform(0, 0.1))
            for pid in n.role_pids("store"):
                os.kill(pid, signal.SIGKILL)
        if chance.random() < 0.3:
            c.uploads[-1].join(3)  # cut right after an upload was answered
        else:
            time.sleep(chance.uniform(0, 0.25))
        mixed = chance.random() < 0.5
        answered = sum(1 for m in c.messages if m.mdn)
        n.kill()
        s.cut(random.Random(chance.random()) if mixed else None)
        t.diag(f"cut {i + 1}: {answered} answered{', unflushed pages by chance' if mixed else ''}")
        t.ok(True, f"cut {i + 1}")
        if chance.random() < 0.3:  # a second cut during recovery
            try:
                n.start(environment=s.environment(), timeout=0.3)
            except (TimeoutError, RuntimeError):
                pass
            n.kill()
            s.cut(None)
    n.start(environment=s.environment())
    c.wait()


def commits_in_doubt(n, c, batch, s, kind, number, what):
    """The disk takes a flush and says it failed, again and again: nothing is lost or doubled, and service goes on."""
    s.fail = f"{kind}:{number}"
    n.start(environment=s.environment())
    first = n.role_pids("store")
    c.post(batch)
    c.wait()
    demo.wait_for("another store", lambda: n.role_pids("store") not in (first, []), 60)
    t.ok(True, f"the store ended when the disk failed {what}, and came back")
    n.kill()
    s.fail = None
    s.cut()


def order_of_flushes(n, c, messages, s):
    """Replays the log: each answer of 200 needs a whole flush of the store's log between the last arrival and itself."""
    n.start(environment=s.environment())
    c.post(messages)
    c.wait()
    events = s.events()
    n.kill()
    arrived, begun = {}, {}   # (pid, fd): position; (pid, kind): position of the latest beginning
    last_flush_begin = -1     # the latest beginning among flushes of the store's log that have ended
    answers = early = flushes = 0
    for at, (pid, what, *rest) in enumerate(events):
        if what == "arrived":
            arrived[pid, rest[0]] = at
        elif what == "begin":
            begun[pid, rest[0]] = at
        elif what == "flush" and rest[-1] == "seg":
            flushes += 1
            last_flush_begin = max(last_flush_begin, begun.get((pid, rest[0]), -1))
        elif what == "answered" and rest[2] == "200":
            answers += 1
            early += last_flush_begin < arrived.get((pid, rest[0]), at)
    t.ok(answers >= len(messages), f"answers were seen leaving: {answers}", f"{len(messages)} messages")
    t.ok(flushes > 0, f"flushes of the log were seen: {flushes}")
    t.equal(early, 0, "no MDN left before a flush that followed its message's arrival")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--seed", type=int, default=int(time.time()))
    options.add_argument("--cuts", type=int, default=50)
    options.add_argument("--quick", action="store_true")
    options.add_argument("--keep", action="store_true")
    options = options.parse_args()
    if not demo.available():
        tap.skip_all("vand is not built")
    if shadow.usable():
        tap.skip_all(shadow.usable())
    t.diag(f"seed {options.seed}")
    chance = random.Random(options.seed)
    count = 5 if options.quick else options.cuts
    with demo.Network(keep=options.keep) as n:
        n.create()
        s = shadow.Shadow(data_folder(n), os.path.join(n.root, "shadow"), log=True)
        t.run(first_start, n, s)
        c = campaign.Campaign(n, options.seed)
        c.make(BATCH * count + 80)
        t.run(order_of_flushes, n, c, c.messages[:40], s)
        s.cut()
        s.log = None
        t.run(commits_in_doubt, n, c, c.messages[40:60], s, "seg", 6, "within a commit")
        t.run(commits_in_doubt, n, c, c.messages[60:80], s, "mdb", 3, "when the database took what the log had")
        t.run(cuts, n, c, chance, iter(list(c.batches(BATCH))[80 // BATCH:]), s, count)
        t.run(c.count, t)
        c.close()
        n.tell(t)
    return t.done()


if __name__ == "__main__":
    sys.exit(main())
