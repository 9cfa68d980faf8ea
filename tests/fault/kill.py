#!/usr/bin/python3
"""kill -9 of every role in turn, of the whole tree at random moments, and of roles at named points.

    kill.py [--seed N] [--quick] [--rounds N]
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
import tap  # noqa: E402
import x12  # noqa: E402

BATCH = 12
ROLES = ["store", "keyd", "http", "worker", "sftp", "deliver", "web", "supervisor", "tree"]
POINTS = ["store-before-flush", "store-after-flush", "store-before-reply", "worker-before-accept", "worker-after-accept",
          "keyd-before-sign", "http-before-reply", "store-before-job-commit", "worker-before-result"]

t = tap.Tap()


def ensure_up(n):
    """Starts vand again when the supervisor is gone."""
    if n.vand and n.vand.poll() is None:
        return
    n.kill()
    n.start()


def kill_role(n, role, chance):
    """SIGKILL to one process of a role. Returns what was killed, or None."""
    if role == "tree":
        return f"{n.kill()} processes"
    if role == "supervisor":
        others = list(n.tree())
        n.vand.kill()
        n.vand.wait()
        left = demo.wait_gone(others)
        t.ok(not left, "roles end when the supervisor is gone", f"still there: {left}")
        return "the supervisor"
    pids = n.role_pids(role)
    if not pids:
        return None
    pid = chance.choice(pids)
    os.kill(pid, signal.SIGKILL)
    return f"process {pid}"


def random_kills(n, c, chance, batches, rounds):
    for role in ROLES * rounds:
        batch = next(batches)
        c.post(batch)
        c.upload()
        time.sleep(chance.uniform(0, 0.08))
        killed = kill_role(n, role, chance)
        t.diag(f"{role}: killed {killed}")
        ensure_up(n)
        c.wait()
        t.ok(killed, f"kill -9 of {role}: all senders got their MDNs", "no such process")
        if role not in ("tree", "supervisor"):
            demo.wait_for(f"{role} is back", lambda: n.role_pids(role))


def named_points(n, c, chance, batches, points):
    """A role that dies at a named point; restarted ones die again after as many passes, until vand is started without.
    One worker of each kind, so that no job meets two dying workers (it would rightly be quarantined)."""
    n.kill()
    n.set_config("workers", "1")
    for point in points:
        batch = next(batches)
        # A job that meets two dying workers is rightly quarantined: let the last job of the batch meet the only one.
        nth = BATCH if point == "worker-before-result" else chance.randint(2, 5)
        n.kill()
        logged = len(n.log())
        n.start(environment={"OPENVAN_FAULT": f"{point}:{nth}"})
        c.post(batch)
        fired = n.wait_killed(point.split("-")[0], logged)
        time.sleep(chance.uniform(0, 0.3))
        n.kill()
        n.start()
        c.wait()
        t.ok(fired, f"{point}:{nth}: the point was reached, and all senders got their MDNs", "no role died there")


def upload_points(n, c):
    """A session that dies before its upload is committed leaves nothing; one that dies after it loses nothing."""
    for point, kept in (("sftp-before-commit", 0), ("sftp-after-commit", 1)):
        n.kill()
        n.start(environment={"OPENVAN_FAULT": f"{point}:1"})
        name = f"{point}.edi"
        ack = x12.ack_997(demo.BETA, demo.BUYER, 600000 + kept, 900000000 + kept)
        put = n.sftp_put("beta", ack, "/in/" + name, check=False)
        t.ok(put.returncode != 0, f"{point}: the client sees an error", put)
        found = [m for m in n.messages("--direction", "in") if m["file_name"] == name]
        t.equal(len(found), kept, f"{point}: {kept or 'no'} message")
        if kept:
            c.kept.append((name, ack))
    n.kill()
    n.start()


def poison_job(n):
    """A job that kills its worker twice is put aside, and the others go on."""
    n.kill()
    n.start(environment={"OPENVAN_FAULT": "worker-before-result:1"})
    _, mdn, _, message_id = n.send(x12.order_850(demo.BUYER, demo.BETA, 700001, "POISON"))
    t.ok(mdn and mdn.outcome == "processed", "a poisonous message: its MDN says that it arrived", mdn)
    found = demo.wait_for("quarantine", lambda: n.messages("--state", "quarantined"), pause=0.2)
    t.equal([campaign.strip(m["as2_message_id"]) for m in found], [campaign.strip(message_id)], "it is quarantined, and visible")
    n.kill()
    n.start()
    t.equal(len(n.messages("--state", "quarantined")), 1, "and stays so after a restart")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--seed", type=int, default=int(time.time()))
    options.add_argument("--quick", action="store_true")
    options.add_argument("--rounds", type=int, default=2)
    options.add_argument("--keep", action="store_true")
    options = options.parse_args()
    if not demo.available():
        tap.skip_all("vand is not built")
    t.diag(f"seed {options.seed}")
    chance = random.Random(options.seed)
    rounds = 1 if options.quick else options.rounds
    points = chance.sample(POINTS, 3) if options.quick else POINTS
    with demo.Network(keep=options.keep) as n:
        n.up()
        c = campaign.Campaign(n, options.seed)
        c.make(BATCH * (len(ROLES) * rounds + len(points)))
        batches = c.batches(BATCH)
        t.run(random_kills, n, c, chance, batches, rounds)
        t.run(named_points, n, c, chance, batches, points)
        t.run(upload_points, n, c)
        ensure_up(n)
        t.run(c.count, t)
        c.close()
        t.run(poison_job, n)
        t.equal(n.stop(), 0, "SIGTERM ends it cleanly")
        n.tell(t)
    return t.done()


if __name__ == "__main__":
    sys.exit(main())
