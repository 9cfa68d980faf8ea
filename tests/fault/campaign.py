"""Senders that never give up, and the count that follows: what the fault tests share.

Messages are made before, with known Message-IDs. Four senders post them in batches while something breaks, and repeat
each with the same Message-ID until they hold its MDN. At the end every message must be there exactly once: in the list,
in the mailbox of its receiver, with its 997 and its receipt.
"""

import collections
import datetime
import http.client
import os
import queue
import random
import re
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))

import demo  # noqa: E402
import x12  # noqa: E402

PATIENCE = 5 * demo.PATIENCE  # for all the messages of a batch, with restarts between


class Message:
    def __init__(self, number, receiver, payload, body, mic, message_id):
        self.number, self.receiver, self.payload = number, receiver, payload
        self.body, self.mic, self.id = body, mic, message_id
        self.mdn = None      # (content type, body) of the first MDN
        self.tries = 0
        self.errors = collections.Counter()

    @property
    def po(self):
        return f"K{self.number:07d}"


class Campaign:
    def __init__(self, network, seed, senders=4):
        self.network, self.seed = network, seed
        self.random = random.Random(seed)
        self.started = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=5)
        self.messages = []
        self.uploaded, self.uploads, self.kept = 0, [], []
        self.work = queue.Queue()
        self.left = 0
        self.changed = threading.Condition()
        self.closing = False
        self.port = network.ports["as2"]
        self.threads = [threading.Thread(target=self._sender, args=(random.Random(seed * 31 + i),), daemon=True)
                        for i in range(senders)]
        for thread in self.threads:
            thread.start()

    # --- messages ----------------------------------------------------------------------------------------------------

    def make(self, count):
        """Pre-made messages: three of four to the translating supplier, one of three larger than the store keeps inline."""
        first = len(self.messages) + 1
        with ThreadPoolExecutor(4) as pool:
            self.messages += list(pool.map(self._make, range(first, first + count)))

    def _make(self, number):
        receiver = demo.BETA if number % 4 == 0 else demo.ALPHA
        size = 40000 if number % 3 == 0 else 6000
        payload = x12.order_850(demo.BUYER, receiver, number, f"K{number:07d}", pad_to=size)
        body, mic = self.network.as2_body(payload, own_multipart=number % 2 == 0)
        return Message(number, receiver, payload, body, mic, f"<fault-{self.seed}-{number}-{os.getpid()}@buyer.example>")

    # --- senders -----------------------------------------------------------------------------------------------------

    def _sender(self, chance):
        connection = None
        while not self.closing:
            try:
                message = self.work.get(timeout=0.2)
            except queue.Empty:
                continue
            while not message.mdn and not self.closing:
                connection = self._try(message, connection)
                if not message.mdn:
                    time.sleep(chance.uniform(0.02, 0.15))
            with self.changed:
                self.left -= 1
                self.changed.notify_all()

    def _try(self, message, connection):
        """One post. Returns the connection to use next, or None."""
        message.tries += 1
        try:
            if connection is None:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            connection.request("POST", "/as2", message.body, self.network.as2_headers(message.id))
            response = connection.getresponse()
            body = response.read()
            if response.status == 200 and is_good(body):
                message.mdn = (response.headers.get("Content-Type", ""), body)
            else:
                said = re.search(rb"Disposition: [^\r\n]*", body)
                message.errors[f"{response.status} {said.group().decode('latin-1') if said else ''}"] += 1
            return None if response.will_close else connection
        except (OSError, http.client.HTTPException) as error:
            message.errors[type(error).__name__] += 1
            connection.close()
            return None

    def post(self, messages):
        """Gives messages to the senders; wait() returns when all have their MDNs."""
        with self.changed:
            self.left += len(messages)
        for message in messages:
            self.work.put(message)

    def wait(self, timeout=PATIENCE):
        with self.changed:
            if not self.changed.wait_for(lambda: self.left == 0, timeout):
                waiting = [m for m in self.messages if m.tries and not m.mdn]
                raise TimeoutError(f"{self.left} messages without an MDN after {timeout:g} s: "
                                   f"{[(m.id, m.tries, dict(m.errors)) for m in waiting[:3]]}\n{self.network.log_tail()}")

    def batches(self, size):
        for at in range(0, len(self.messages), size):
            yield self.messages[at:at + size]

    def close(self):
        self.closing = True
        for thread in self.threads:
            thread.join(demo.PATIENCE)

    # --- uploads over SFTP -------------------------------------------------------------------------------------------

    def upload(self):
        """One upload in the background, not repeated: when its close is answered with OK the file must never be lost."""
        self.uploaded += 1
        number = self.uploaded
        thread = threading.Thread(target=self._upload, args=(f"up-{self.seed}-{number}.edi", number), daemon=True)
        thread.start()
        self.uploads.append(thread)

    def _upload(self, name, number):
        try:
            ack = x12.ack_997(demo.BETA, demo.BUYER, 500000 + number, 800000000 + number)
            if number % 3 == 0:  # a file of its own, not one that rides on the store's flush
                ack += b" " * 100000
            if self.network.sftp_put("beta", ack, "/in/" + name, check=False).returncode == 0:
                self.kept.append((name, ack))
        except (OSError, demo.subprocess.TimeoutExpired):
            pass

    def _count_uploads(self, t, label):
        for thread in self.uploads:
            thread.join(demo.PATIENCE)
        listed = {m["file_name"] for m in self.network.messages("--direction", "in")}
        times = collections.Counter(m["file_name"] for m in self.network.messages("--direction", "in") if (m["file_name"] or "").startswith("up-"))
        lost = [name for name, _ in self.kept if name not in listed]
        twice = [name for name, n in times.items() if n > 1]
        t.ok(not twice, f"{label}no upload is there twice", twice[:5])
        t.ok(not lost, f"{label}every upload whose close was answered is there: {len(self.kept)} of {self.uploaded}", lost[:5])

    # --- the count ---------------------------------------------------------------------------------------------------

    def count(self, t, label=""):
        """All checks at the end; t is a Tap."""
        n = self.network
        sent = [m for m in self.messages if m.mdn]
        self._settle(sent)
        listed = [m for m in n.messages("--direction", "in") if m["as2_message_id"]]
        times = collections.Counter(m["as2_message_id"] for m in listed if m["state"] not in ("rejected", "duplicate"))
        ids = {strip(m["as2_message_id"]): m["id"] for m in listed if m["state"] not in ("rejected", "duplicate")}
        times = collections.Counter({strip(k): v for k, v in times.items()})
        expect_once(t, f"{label}every message is listed exactly once", {strip(m.id) for m in sent}, times)
        states = collections.Counter(m["state"] for m in listed if m["state"] != "duplicate")
        t.equal(dict(states), {"processed": len(sent)}, f"{label}all are processed")
        self._count_mailboxes(t, label, sent)
        self._count_uploads(t, label)
        self._count_receipts(t, label, sent, ids)
        self._check_mdns(t, label, sent)
        errors = sum((m.errors for m in sent), collections.Counter())
        t.diag(f"{len(sent)} messages, {sum(m.tries for m in sent)} posts; refused or broken: {dict(errors)}")
        wrong = [e for e in errors if "Disposition" in e]
        t.ok(not wrong, f"{label}no sound message was answered with an error MDN", wrong)

    def _settle(self, sent):
        """Processing goes on after the MDN: waits until the queue is empty and the mailboxes are full."""
        n = self.network
        orders = sum(m.receiver == demo.ALPHA for m in sent)
        try:
            n.drain()
            demo.wait_for("mailboxes", lambda: len(n.sftp_list("alpha")) >= orders and len(n.sftp_list("buyer")) >= orders + len(self.kept)
                          and len(n.sftp_list("beta")) >= len(sent) - orders, pause=0.3)
        except TimeoutError:
            pass  # the count says what is missing

    def _count_mailboxes(self, t, label, sent):
        n = self.network
        alpha = n.sftp_fetch("alpha")
        orders = collections.Counter(po for data in alpha.values() for po in set(re.findall(r"K\d{7}", data.decode("utf-8", "replace"))))
        expect_once(t, f"{label}translated orders", {m.po for m in sent if m.receiver == demo.ALPHA}, orders)
        groups = collections.Counter()
        for data in n.sftp_fetch("buyer").values():
            groups.update(g for g in x12.acknowledged_groups(data) if g[1] < 800000000)  # not the uploads passed through
        expect_once(t, f"{label}997s in the buyer's mailbox", {("PO", m.number, "A") for m in sent if m.receiver == demo.ALPHA}, groups)
        by_bytes = {m.payload: m.po for m in sent if m.receiver == demo.BETA}
        passed = collections.Counter(by_bytes.get(data, "other bytes") for data in n.sftp_fetch("beta").values())
        expect_once(t, f"{label}passed-through orders, byte for byte", set(by_bytes.values()), passed)

    def _count_receipts(self, t, label, sent, ids):
        n = self.network
        receipts = n.json("receipt", "list", "--limit", "100000")
        events = collections.defaultdict(collections.Counter)
        for r in receipts:
            events[r["message"]][r["event"]] += 1
        missing = [m.id for m in sent if not events.get(ids.get(strip(m.id)))]
        t.ok(not missing, f"{label}every message has its receipt", missing[:5])
        accepted = acceptance_event(events, ids.values())
        twice = [i for i in ids.values() if events[i][accepted] != 1]
        t.ok(accepted and not twice, f"{label}and one alone of its acceptance ({accepted})", [(i, dict(events[i])) for i in twice[:3]])
        indexes = [r["index"] for r in receipts]
        t.equal(sorted(indexes), list(range(len(indexes))), f"{label}receipt numbers have no gaps")
        bundle = os.path.join(n.root, "bundle.tar")
        later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=5)
        n.vanctl("receipt", "export", "--from", rfc3339(self.started), "--to", rfc3339(later), "-o", bundle)
        verified = n.vanctl("receipt", "verify", bundle, check=False)
        t.ok(verified.returncode == 0, f"{label}the receipt log verifies", verified.stdout.decode() + verified.stderr.decode())

    def _check_mdns(self, t, label, sent):
        """Each MDN's signature and MIC; and a repeat of some gets the same bytes."""
        n = self.network
        wrong = []
        for m in sent:
            mdn = n.check_mdn(as_response(m.mdn))
            if not mdn or not mdn.verified or mdn.mic != m.mic or mdn.outcome != "processed" or strip(mdn.original_message_id) != strip(m.id):
                wrong.append((m.id, m.mic, mdn))
        t.ok(not wrong, f"{label}every MDN verifies and carries the sender's MIC", wrong[:3])
        differ = []
        for m in sent[::7]:
            first, m.mdn = m.mdn, None
            for _ in range(20):
                self._try(m, None)
                if m.mdn:
                    break
                time.sleep(0.2)
            if m.mdn != first:
                differ.append(m.id)
            m.mdn = first
        t.ok(not differ, f"{label}a repeat gets the same MDN again, byte for byte", differ)


def acceptance_event(events, ids):
    """The name of the event that each accepted message has (the product chooses it)."""
    names = collections.Counter(name for i in ids for name in events[i])
    preferred = [n for n in names if re.search(r"receiv|accept", n)]
    return (preferred or list(names) or [None])[0]


def is_good(body):
    found = re.search(rb"Disposition:[^\r\n]*;\s*([^\r\n]*)", body)
    return bool(found) and found.group(1).strip() == b"processed"


def as_response(mdn):
    response = demo.Response(b"HTTP/1.1 200 OK\r\nContent-Type: " + mdn[0].encode() + b"\r\n\r\n", mdn[1])
    return response


def strip(message_id):
    return message_id.strip("<> ")


def rfc3339(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def expect_once(t, name, expected, counted):
    missing = sorted(map(str, set(expected) - set(counted)))
    extra = sorted(map(str, set(counted) - set(expected)))
    twice = sorted(f"{k} × {v}" for k, v in counted.items() if v > 1)
    t.ok(not missing and not extra and not twice, f"{name}: {len(expected)}",
         f"{len(missing)} missing {missing[:5]}\n{len(extra)} extra {extra[:5]}\n{len(twice)} repeated {twice[:5]}")
