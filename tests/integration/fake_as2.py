"""A tiny AS2 receiver on the openssl command: what the load generator and the senders are tried against by themselves."""

import http.server
import os
import re
import sys
import tempfile
import threading

import demo


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.busy and self.server.busy():
            self.send_response(503)
            self.send_header("Retry-After", "1")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        content_type, answer = mdn_for(self.server.certificate, self.server.key, self.headers["Message-ID"], body)
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


def mdn_for(certificate, key, message_id, body):
    with tempfile.TemporaryDirectory() as folder:
        sealed, signed, part, mdn = (os.path.join(folder, n) for n in ("sealed", "signed", "part", "mdn"))
        with open(sealed, "wb") as f:
            f.write(body)
        demo.run(["openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-in", sealed, "-inkey", key, "-recip", certificate,
                  "-out", signed])
        text = demo.read(signed)
        boundary = re.search(rb'boundary="?([^"\r\n;]+)', text).group(1)
        content = text.split(b"\r\n--" + boundary)[1][2:]
        report = ("Content-Type: multipart/report; report-type=disposition-notification; boundary=\"rr\"\r\n\r\n--rr\r\n"
                  "Content-Type: text/plain\r\n\r\nReceived.\r\n--rr\r\nContent-Type: message/disposition-notification\r\n\r\n"
                  f"Final-Recipient: rfc822; HUBNET\r\nOriginal-Message-ID: {message_id}\r\n"
                  "Disposition: automatic-action/MDN-sent-automatically; processed\r\n"
                  f"Received-Content-MIC: {demo.mic_of(content)}, sha-256\r\n\r\n--rr--\r\n")
        with open(part, "w", newline="") as f:
            f.write(report)
        demo.run(["openssl", "cms", "-sign", "-binary", "-crlfeol", "-in", part, "-signer", certificate, "-inkey", key, "-md",
                  "sha256", "-outform", "SMIME", "-out", mdn])
        head, _, rest = demo.read(mdn).partition(b"\r\n\r\n")
        return re.search(rb"Content-Type: (.*)", head).group(1).decode().strip(), rest


def serve(certificate, key, busy=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.certificate, server.key, server.busy = certificate, key, busy
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


if __name__ == "__main__":
    running = serve(sys.argv[1], sys.argv[2])
    print(running.server_port, flush=True)
    threading.Event().wait()
