"""server.py ADDRESS SCRATCH SOURCES SEED: the internet of internet.sh. It prints a line HOST STATUS for each answer."""
import http.server
import os
import ssl
import sys
import threading
import urllib.parse

address, scratch, sources, seed = sys.argv[1:]
lock = threading.Lock()
requests = 0


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self, status, body=b"", length=None, headers=()):
        print(self.headers.get("Host"), status, flush=True)
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", len(body) if length is None else length)
        self.end_headers()
        self.wfile.write(body)

    def do_HEAD(self):
        self.answer(404)

    def do_GET(self):
        global requests
        host = self.headers.get("Host")
        path = urllib.parse.unquote(self.path)
        if host == "cache.nixos.org" and path == "/nix-cache-info":
            return self.answer(200, b"StoreDir: /nix/store\nWantMassQuery: 1\nPriority: 40\n")
        # Names in the store, and so in SOURCES, have no `~`.
        file = seed if host == "tarballs.nixos.org" else os.path.join(sources, os.path.basename(path).replace("~", "-"))
        if host == "cache.nixos.org" or not os.path.isfile(file):
            return self.answer(404)
        with lock:
            requests += 1
            number = requests
        # Nix 2.8 gives up if a request for the rest of a file gets this.
        if number % 3 == 0 and "Range" not in self.headers:
            return self.answer(429, headers=[("Retry-After", "1")])
        with open(file, "rb") as opened:
            body = opened.read()
        begin = self.headers.get("Range", "")
        if begin.startswith("bytes="):
            first = int(begin[6:].split("-")[0])
            part = [("Content-Range", f"bytes {first}-{len(body) - 1}/{len(body)}")]
            return self.answer(206, body[first:], headers=part)
        # Nix only continues a transfer if the server says that it can.
        ranges = [("Accept-Ranges", "bytes")]
        if number % 7 == 0:
            self.answer(200, body[: len(body) // 2], length=len(body), headers=ranges)
            self.close_connection = True
            return None
        return self.answer(200, body, headers=ranges)


def serve(port, tls):
    server = http.server.ThreadingHTTPServer((address, port), Handler)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.path.join(scratch, "certificate"), os.path.join(scratch, "key"))
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.serve_forever()


threading.Thread(target=serve, args=(80, False), daemon=True).start()
serve(443, True)
