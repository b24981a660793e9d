#!/usr/bin/env python3
"""Draws how a comment and a promotion look on GitHub, for the README.

usage: picture.py DOSIRAK

DOSIRAK is the binary. The flights example is run as a change of it would be,
the actions `comment` and `promote` write what they would post to a GitHub that
only listens, and that is set by GitHub's own Markdown parser (cmarkgfm, one of
the peers) and drawn by Chromium. The pictures are docs/comment.png and
docs/promotion.png; no figure in them is made up.
"""
import base64
import html
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.parse

import cmarkgfm
from cmarkgfm.cmark import Options

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
REPOSITORY = "acme/flights"


class Listener(http.server.BaseHTTPRequestHandler):
    """Answers the few calls of the two actions and keeps what is posted."""

    posted = []
    head = tree = ""
    project = pathlib.Path()

    def log_message(self, *_):
        pass

    def answer(self, value, status=200):
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        if "/branches/main" in self.path:
            commit = {"sha": self.head, "commit": {"tree": {"sha": self.tree}}, "parents": []}
            self.answer({"name": "main", "commit": commit})
        elif "/comments" in self.path:
            self.answer(self.posted)
        elif "/contents/" in self.path:
            name = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path.split("/contents/")[1])
            file = self.project / name
            if not file.is_file():
                self.answer({"message": "Not Found"}, 404)
                return
            content = base64.b64encode(file.read_bytes()).decode()
            self.answer({"type": "file", "name": file.name, "path": name, "sha": "0" * 40, "encoding": "base64", "content": content})
        else:
            self.answer({"message": "Not Found"}, 404)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.endswith("/graphql"):
            pull = {"number": 7, "url": "", "state": "OPEN", "headRefOid": self.head, "baseRefName": "main",
                    "author": {"login": "ada"}, "headRepository": {"nameWithOwner": REPOSITORY}, "labels": {"nodes": []}}
            page = {"nodes": [pull], "pageInfo": {"hasNextPage": False, "endCursor": ""}}
            self.answer({"data": {"viewer": {"login": "github-actions[bot]"},
                                  "repository": {"id": "R", "object": {"status": None}, "pullRequests": page}}})
            return
        made = {"id": 1, "body": body.get("body", ""), "html_url": "https://github.com/acme/flights/pull/7",
                "created_at": "2026-01-01T00:00:00Z", "user": {"login": "github-actions[bot]", "type": "Bot"}}
        if "/comments" in self.path:
            self.posted.append(made)
        self.answer(made, 201)


def run(*command, **more):
    return subprocess.run(command, check=True, capture_output=True, text=True, **more).stdout


def action(binary, name, project, server, event, inputs):
    """Runs an action as a workflow's step does, and returns its log."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB_", "INPUT_"))}
    with tempfile.TemporaryDirectory() as temp:
        path = pathlib.Path(temp, "event.json")
        path.write_text(json.dumps(event))
        environment.update({
            "GITHUB_EVENT_PATH": str(path), "GITHUB_EVENT_NAME": "workflow_run" if "workflow_run" in event else "push",
            "GITHUB_API_URL": f"http://127.0.0.1:{server.server_port}", "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_SERVER_URL": "https://github.com", "GITHUB_RUN_ID": "4711", "GITHUB_SHA": Listener.head,
            "GITHUB_REF_NAME": "main", "INPUT_TOKEN": "t", "INPUT_DIRECTORY": str(project), "INPUT_CONFIG": "dosirak.yaml",
        })
        environment.update({"INPUT_" + k: v for k, v in inputs.items()})
        done = subprocess.run([binary, "action", name], env=environment, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"action {name}: {done.stdout}{done.stderr}")
        return done.stdout


PAGE = """<!doctype html><meta charset=utf-8><style>
body {{ margin: 0; padding: 16px; background: #fff; font: 14px/1.5 -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, "DejaVu Sans", sans-serif; color: #1f2328; }}
.box {{ border: 1px solid #d1d9e0; border-radius: 6px; width: {width}px; }}
.head {{ background: #f6f8fa; border-bottom: 1px solid #d1d9e0; border-radius: 6px 6px 0 0; padding: 8px 16px; color: #59636e; }}
.head b {{ color: #1f2328; }} .head span {{ border: 1px solid #d1d9e0; border-radius: 2em; padding: 0 7px; font-size: 12px; }}
.body {{ padding: 16px; }} .title {{ font-size: 26px; margin: 4px 0 12px; }} .title small {{ color: #59636e; font-size: 26px; }}
h3 {{ font-size: 1.25em; margin: 0 0 16px; }} p, ul, table, details, blockquote {{ margin: 0 0 16px; }} ul {{ padding-left: 2em; }}
blockquote {{ padding: 0 1em; color: #59636e; border-left: .25em solid #d1d9e0; }}
table {{ border-collapse: collapse; }} th, td {{ padding: 6px 13px; border: 1px solid #d1d9e0; }} tr:nth-child(2n) td {{ background: #f6f8fa; }}
code {{ font: 85% ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; background: #818b981f; padding: .2em .4em; border-radius: 6px; white-space: break-spaces; }}
td code {{ white-space: nowrap; }} a {{ color: #0969da; }} sub {{ font-size: 75%; line-height: 1.3; vertical-align: baseline; }} summary {{ cursor: pointer; }}
i[class] {{ font-style: normal; color: #fff; border-radius: 3px; padding: 0 3px; font-size: 85%; }} i.ok {{ background: #1a7f37; }} i.bad {{ background: #cf222e; }} i.open {{ background: #818b98; }}
</style>{title}<div class=box><div class=head>{head}</div><div class=body>{text}</div></div>
<script>document.documentElement.dataset.height = document.documentElement.scrollHeight</script>"""


def draw(markdown, head, title, into, width=860):
    text = cmarkgfm.github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE)
    # A machine without a font for these shows boxes.
    for sign, (kind, glyph) in {"✅": ("ok", "✔"), "❌": ("bad", "✘"), "❔": ("open", "?"), "➖": ("open", "–")}.items():
        text = text.replace(sign, f"<i class={kind}>{glyph}</i>")
    with tempfile.TemporaryDirectory() as temp:
        page = pathlib.Path(temp, "page.html")
        page.write_text(PAGE.format(width=width, head=head, title=title, text=text))
        chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        if chromium is None:
            sys.exit("there is no Chromium to draw with")
        base = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={temp}/profile"]
        window = f"--window-size={width + 36},"
        dom = run(*base, window + "600", "--dump-dom", page.as_uri())
        height = int(re.search(r'data-height="(\d+)"', dom).group(1))
        run(*base, window + str(height), f"--screenshot={into}", page.as_uri())


def main():
    binary = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as temp:
        project = pathlib.Path(temp, "flights")
        shutil.copytree(TOP / "examples/flights", project, ignore=shutil.ignore_patterns(".dosirak"))
        git = ["git", "-C", str(project), "-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
        Listener.project = project
        run(*git, "init", "--quiet", "--initial-branch=main")
        run(*git, "add", "--all")
        run(*git, "commit", "--quiet", "--message", "Learn from the hour too (#7)")
        Listener.head = run(*git, "rev-parse", "HEAD").strip()
        Listener.tree = run(*git, "rev-parse", "HEAD^{tree}").strip()
        run(binary, "run", "-C", str(project))
        newest = max((project / ".dosirak/runs").glob("*/report.json"), key=os.path.getmtime)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        action(binary, "comment", project, server, {"action": "completed", "workflow_run": {
            "id": 4711, "event": "pull_request", "conclusion": "success", "head_sha": Listener.head, "head_branch": "hour",
            "head_repository": {"full_name": REPOSITORY}}}, {
            "PHASE": "concluded", "REPORT": str(newest), "ARTIFACT": "dosirak-report-flights-delay", "CHANGE": "model",
            "OUTCOME": "success", "STATUS": "true", "COMMENT": "true"})
        log = action(binary, "promote", project, server, {"before": "0" * 40}, {
            "RUN": newest.parent.name, "PLAN": "true", "PUSH": "false", "ACKNOWLEDGE_EXAM": "false"})
        server.shutdown()
    proposal = re.search(r"^# (.+)\n\n((?:.|\n)+?)\nPromote ", log, re.M)
    bot = "<b>github-actions</b> <span>bot</span> "
    draw(Listener.posted[0]["body"], bot + "commented 2 minutes ago", "", HERE.parent / "comment.png")
    draw(proposal.group(2), bot + "opened this pull request", f"<div class=title>{html.escape(proposal.group(1))} <small>#8</small></div>",
         HERE.parent / "promotion.png")


main()
