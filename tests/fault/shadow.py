"""The durable shadow that the power-cut library keeps: begin one, cut the power, read its log."""

import mmap
import os
import random
import shutil
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))

import demo  # noqa: E402

PAGE = 4096
LOG_SIZE = 64 << 20


def built(name):
    """A program or library of this folder's build."""
    for folder in (os.path.join(demo.BUILD, "tests", "fault"), os.path.join(demo.BUILD, "build", "tests", "fault")):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            return path
    return None


def usable():
    """None when power cuts can be played here, else why not."""
    if not built("powercut.so") or not built("powercut_probe"):
        return "the power-cut library is not built"
    for build in (demo.BUILD, os.path.join(demo.BUILD, "build")):
        config = os.path.join(build, "config.h")
        if os.path.exists(config) and b"#define VAN_SANITIZERS" in demo.read(config):
            return "a sanitizer's runtime must come before any interposed library"
    return None


class Shadow:
    def __init__(self, data, folder, delay=0, log=False):
        self.data, self.folder, self.delay = os.path.realpath(data), folder, delay
        self.log = folder + ".log" if log else None
        # Roles that gave up root can't reach a clone in a closed folder, and the loader only warns.
        self.fail = None  # "seg:N": the flush of the log that fails in each process; "mdb:N": that of the database
        self.library = folder + ".so"
        shutil.copyfile(built("powercut.so"), self.library)
        os.chmod(self.library, 0o755)
        if self.log:
            with open(self.log, "wb") as f:
                f.truncate(LOG_SIZE)
            os.chmod(self.log, 0o666)

    def environment(self):
        """What to set for the programs whose power will be cut."""
        env = {"LD_PRELOAD": self.library, "POWERCUT_DATA": self.data, "POWERCUT_SHADOW": self.folder}
        if self.delay:
            env["POWERCUT_DELAY"] = str(self.delay)
        if self.fail:
            env["POWERCUT_FAIL"] = self.fail
        if self.log:
            env["POWERCUT_LOG"] = self.log
        return env

    def begin(self):
        """Everything in the data folder is durable now."""
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        env = dict(os.environ)
        env.update(self.environment())
        env.pop("POWERCUT_LOG", None)
        env.pop("POWERCUT_DELAY", None)
        subprocess.run([built("powercut_probe"), "seed", self.data], env=env, check=True)
        os.chmod(self.folder, 0o777)  # roles of other users add to it
        for name in os.listdir(self.folder):
            os.chmod(os.path.join(self.folder, name), 0o666)
        if not os.path.exists(os.path.join(self.folder, "root")):
            raise RuntimeError("the power-cut library did not make a shadow")

    def check(self, pid):
        """Raises when a process runs without the library: it would seem to lose everything."""
        with open(f"/proc/{pid}/maps") as f:
            if os.path.basename(self.library) not in f.read():
                raise RuntimeError(f"process {pid} does not run with {self.library}")

    def cut(self, chance=None):
        """Replaces the data folder by what was durable; its writers must be dead. With `chance` (a random.Random),
        pages and new names that no flush covered may have reached the disk all the same: each does or doesn't."""
        kept = self.data + ".before-cut"
        shutil.rmtree(kept, ignore_errors=True)
        os.rename(self.data, kept)
        with open(os.path.join(self.folder, "root")) as f:
            root = f.read().strip()
        self._folder(root, self.data, kept, chance)
        shutil.rmtree(kept)
        self.begin()

    def _entries(self, key):
        try:
            with open(os.path.join(self.folder, "d-" + key)) as f:
                return [line.rstrip("\n").split(" ", 2) for line in f]
        except FileNotFoundError:
            return []

    def _folder(self, key, to, kept, chance):
        os.mkdir(to)
        owner(to, kept, 0o700)
        for kind, child, name in self._entries(key):
            target, old = os.path.join(to, name), os.path.join(kept, name)
            if kind == "d":
                self._folder(child, target, old, chance)
            else:
                self._file(child, target, old, chance)
        if not chance or not os.path.isdir(kept):
            return
        for name in sorted(os.listdir(kept)):
            target, old = os.path.join(to, name), os.path.join(kept, name)
            if os.path.isfile(old) and not os.path.exists(target) and chance.random() < 0.5:
                # A name that was on its way to the disk, with its content, with nothing or with holes.
                lose_pages(b"", demo.read(old), target, chance)
                owner(target, old, 0o600)

    def _file(self, key, to, old, chance):
        durable = os.path.join(self.folder, "f-" + key)
        if not os.path.exists(durable):
            open(to, "wb").close()  # the name is safe, the content is not: an empty file
        else:
            shutil.copyfile(durable, to)
        if chance and os.path.isfile(old):
            lose_pages(demo.read(to), demo.read(old), to, chance)
        owner(to, old if os.path.exists(old) else durable, 0o600)

    def events(self):
        """The log's lines so far, each split into words."""
        with open(self.log, "rb") as f:
            used, = struct.unpack("N", f.read(8))
            with mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as m:
                if used > len(m) - 8:
                    raise RuntimeError("the log of flushes is full")
                text = m[8:8 + used]
        return [line.strip(b"\0").decode("latin-1").split() for line in text.split(b"\n") if line.strip(b"\0")]


def lose_pages(durable, written, path, chance):
    """Writes a file in which each page that differs is the durable or the written one."""
    keep_size = chance.random() < 0.5
    size = len(durable) if keep_size else len(written)
    out = bytearray()
    for at in range(0, size, PAGE):
        old, new = durable[at:at + PAGE], written[at:at + PAGE]
        page = new if old != new and chance.random() < 0.5 else old
        out += page.ljust(min(PAGE, size - at), b"\0")[:min(PAGE, size - at)]
    with open(path, "wb") as f:
        f.write(out)


def owner(path, like, mode):
    if os.path.exists(like):
        st = os.stat(like)
        if os.geteuid() == 0:
            os.chown(path, st.st_uid, st.st_gid)
        if ".before-cut" in like:
            mode = st.st_mode & 0o7777
    os.chmod(path, mode)


def chance_of(seed):
    return random.Random(seed)
