#!/usr/bin/python3
"""OpenVAN and Node's libas2, both directions. Skipped where there is no Node, or npm reaches no registry.

libas2 0.8.2 works only with the versions of its dependencies that are named here. Its own signed MDNs don't verify, with openssl
either, so it is asked for unsigned ones; it knows no compression, no AuthEnvelopedData, and Node decrypts no keys by PKCS #1 v1.5:
it gets OAEP.
"""

import base64
import json
import os
import shutil
import subprocess
import sys

import demo
import tap
import x12

PACKAGES = ["libas2@0.8.2", "pkijs@2.1.90", "asn1js@2.0.26"]

t = tap.Tap()


def install(folder):
    """libas2 with its pinned dependencies; None where that can't be had."""
    if not shutil.which("node") or not shutil.which("npm"):
        return None
    with open(os.path.join(folder, "package.json"), "w") as f:
        f.write('{"name": "peer", "private": true}')
    try:
        done = demo.run(["npm", "install", "--no-audit", "--no-fund", "--prefer-offline", *PACKAGES], check=False, cwd=folder, timeout=120)
    except subprocess.TimeoutExpired:
        return None
    return folder if done.returncode == 0 else None


class Node:
    def __init__(self, n, mode, folder, **options):
        options.update(own={"id": "NODE", "cert": n.node_cert, "key": n.node_key}, other={"id": demo.HUB_AS2, "cert": n.hub_sign if mode == "serve" else n.hub_crypt})
        script = os.path.join(demo.HERE, "as2_libas2.js")
        self.process = subprocess.Popen(["node", script, mode, folder, json.dumps(options)], stdout=subprocess.PIPE, text=True)

    def line(self):
        text = self.process.stdout.readline()
        return json.loads(text) if text else {"error": "it ended"}

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


def profile(n, url, encrypt):
    path = os.path.join(n.root, "node.yaml")
    with open(path, "w") as f:
        f.write(f"""kind: partner
id: node
identities: [{{standard: x12, id: "ZZ:NODE"}}]
connections:
  - id: node-as2
    protocol: as2
    station: {n.station}
    as2_id: NODE
    receive: {{certificates: [{n.node_cert}], require: []}}
    send:
      url: "{url}"
      encrypt: {encrypt}
      key_transport: rsa-oaep
      mdn: {{mode: sync, signed: false, timeout: 2m}}
      retry: []
""")
    n.apply_profiles(n.station_profile, path)


def we_send(n, folder):
    port = demo.free_port()
    node = Node(n, "serve", folder, port=port)
    try:
        t.ok(node.line().get("ready"), "libas2 listens")
        for cipher in ("aes256-cbc", "aes128-cbc"):
            profile(n, f"http://127.0.0.1:{port}/as2", cipher)
            payload = x12.order_850(demo.HUB, "ZZ:NODE", 7, "PO-NODE")
            file = os.path.join(n.root, "order.edi")
            with open(file, "wb") as f:
                f.write(payload)
            message = n.vanctl("message", "send", "--from", n.station, "--to", "node", file).stdout.decode().strip()
            shown = demo.wait_for("the end", lambda: (m := n.json("message", "show", message))["delivery"] in ("delivered", "failed") and m)
            got = node.line()
            # its parser hands text over with a line end of its own
            back = base64.b64decode(got.get("payload", ""))
            t.ok(back.removesuffix(b"\r\n") == payload, f"to libas2, {cipher}: the same bytes", got)
            t.ok(shown["delivery"] == "delivered" and "MIC" in shown["history"][-1]["text"], f"to libas2, {cipher}: its MDN has our MIC", shown["error"])
    finally:
        node.stop()


def libas2_sends(n, folder):
    payload = x12.order_850("ZZ:NODE", demo.HUB, 8, "PO-FROM-NODE")
    node = Node(n, "send", folder, url=n.as2_url, payload=base64.b64encode(payload).decode())
    got = node.line()
    node.stop()
    if "error" in got:
        t.ok(False, "libas2 sends", got)
        return
    response = demo.Response(b"HTTP/1.1 %d x\r\n" % got["status"] + "".join(f"{k}: {v}\r\n" for k, v in got["headers"].items()).encode(),
                             base64.b64decode(got["body"]))
    mdn = n.check_mdn(response)
    t.ok(mdn and mdn.verified and mdn.outcome == "processed", "from libas2: processed, with a verified MDN", f"{response} {mdn}")
    found = [m for m in n.messages("--direction", "in") if m["partner"] == "node"]
    t.equal(len(found), 1, "from libas2: one message")
    if found:
        t.ok(n.vanctl("message", "get", found[0]["id"]).stdout == payload, "from libas2: the same bytes")


def main():
    if not demo.available():
        tap.skip_all("vand is not built")
    with demo.Network() as n:
        n.create()
        folder = install(n.root)
        if not folder:
            tap.skip_all("no Node, or npm reaches no registry")
        n.node_cert, n.node_key = demo.make_certificate(n.peers, "node")
        n.start()
        t.run(we_send, n, folder)
        t.run(libas2_sends, n, folder)
    return t.done()


if __name__ == "__main__":
    sys.exit(main())
