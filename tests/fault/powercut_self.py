#!/usr/bin/python3
"""The power-cut library tried by itself: careful writers lose nothing, forgetful ones do lose."""

import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))

import demo  # noqa: E402
import shadow  # noqa: E402
import tap  # noqa: E402

t = tap.Tap()


def after_cut(what, kill_at=None, chance=None):
    """Runs the probe on a fresh folder, cuts the power; returns {name: bytes} that is left and how far it came."""
    with tempfile.TemporaryDirectory() as root:
        data = os.path.join(root, "data")
        os.mkdir(data)
        s = shadow.Shadow(data, os.path.join(root, "shadow"))
        s.begin()
        env = dict(os.environ, **s.environment())
        probe = subprocess.Popen([shadow.built("powercut_probe"), what, data], env=env, stdout=subprocess.PIPE)
        reached = -1
        if kill_at is not None:
            for line in probe.stdout:
                reached = int(line)
                if reached >= kill_at:
                    break
            probe.kill()
        probe.communicate()
        if kill_at is None and probe.returncode != 0:
            raise RuntimeError(f"powercut_probe {what}: exit {probe.returncode}")
        s.cut(chance)
        left = {name: demo.read(os.path.join(data, name)) for name in os.listdir(data)}
        if kill_at is not None:
            counted = subprocess.run([shadow.built("powercut_probe"), "count", data], stdout=subprocess.PIPE,
                                     stderr=subprocess.DEVNULL)
            return (int(counted.stdout) if counted.returncode == 0 else None), reached
        return left


def single_files():
    t.equal(after_cut("careful"), {"file": b"content"}, "flush of file and folder: all is there")
    t.equal(after_cut("no-file-flush"), {"file": b""}, "no flush of the file: a name without content")
    t.equal(after_cut("no-folder-flush"), {}, "no flush of the folder: no name")
    t.equal(after_cut("unnamed"), {"named": b"content"}, "unnamed file, flushed and linked: all is there")
    t.equal(after_cut("unnamed-no-flush"), {"named": b""}, "unnamed file, linked without flush: a name without content")
    t.equal(after_cut("dsync"), {"file": b"content"}, "write through an O_DSYNC descriptor: all is there")
    t.equal(after_cut("no-sync"), {"file": b""}, "write without a flush: no content")
    t.equal(after_cut("ranges"), {"pages.mdb": b"11221111"}, "ranges: flushed ones only")


def databases():
    entries, reached = after_cut("database", kill_at=150)
    t.ok(entries is not None and entries > reached, "LMDB keeps every commit that it reported", f"{entries} of {reached + 1}")
    lost = kept = 0
    for seed in range(5):
        entries, reached = after_cut("database", kill_at=40, chance=shadow.chance_of(seed))
        lost += entries is None or entries <= reached
        kept += entries is not None and entries > reached
    t.equal((lost, kept), (0, 5), "also when unflushed pages reach the disk by chance")
    entries, reached = after_cut("database-nosync", kill_at=150)
    t.ok(entries is None or entries <= reached, "LMDB without flushes loses commits", f"{entries} of {reached + 1}")


if shadow.usable():
    tap.skip_all(shadow.usable())
t.run(single_files)
t.run(databases)
sys.exit(t.done())
