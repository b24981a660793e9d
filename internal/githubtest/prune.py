#!/usr/bin/env python3
"""Prunes GitHub's own descriptions of its API to what githubtest serves.

usage: prune.py api.github.com.json schema.graphql

api.github.com.json comes from the npm package @octokit/openapi 23.0.2
(generated/api.github.com.json), schema.graphql from @octokit/graphql-schema
15.26.1. Both are GitHub's, under the MIT licence. The results go to testdata/
beside this script. Descriptions and examples are left out, as they describe
nothing that can be checked; everything else is taken over unchanged.
"""
import json
import pathlib
import re
import sys

OPERATIONS = {
    "/repos/{owner}/{repo}": ["get"],
    "/repos/{owner}/{repo}/branches/{branch}": ["get"],
    "/repos/{owner}/{repo}/commits/{ref}": ["get"],
    "/repos/{owner}/{repo}/commits/{ref}/status": ["get"],
    "/repos/{owner}/{repo}/compare/{basehead}": ["get"],
    "/repos/{owner}/{repo}/actions/artifacts/{artifact_id}/{archive_format}": ["get"],
    "/repos/{owner}/{repo}/actions/permissions/workflow": ["get"],
    "/repos/{owner}/{repo}/actions/runners": ["get"],
    "/repos/{owner}/{repo}/actions/runs/{run_id}/artifacts": ["get"],
    "/repos/{owner}/{repo}/actions/secrets": ["get"],
    "/repos/{owner}/{repo}/contents/{path}": ["get"],
    "/repos/{owner}/{repo}/deployments": ["get", "post"],
    "/repos/{owner}/{repo}/deployments/{deployment_id}": ["delete"],
    "/repos/{owner}/{repo}/deployments/{deployment_id}/statuses": ["get", "post"],
    "/repos/{owner}/{repo}/git/blobs": ["post"],
    "/repos/{owner}/{repo}/git/blobs/{file_sha}": ["get"],
    "/repos/{owner}/{repo}/git/commits": ["post"],
    "/repos/{owner}/{repo}/git/commits/{commit_sha}": ["get"],
    "/repos/{owner}/{repo}/git/matching-refs/{ref}": ["get"],
    "/repos/{owner}/{repo}/git/ref/{ref}": ["get"],
    "/repos/{owner}/{repo}/git/trees": ["post"],
    "/repos/{owner}/{repo}/issues": ["get", "post"],
    "/repos/{owner}/{repo}/issues/{issue_number}": ["get", "patch"],
    "/repos/{owner}/{repo}/issues/{issue_number}/comments": ["get", "post"],
    "/repos/{owner}/{repo}/issues/{issue_number}/labels": ["post"],
    "/repos/{owner}/{repo}/issues/comments/{comment_id}": ["patch", "delete"],
    "/repos/{owner}/{repo}/labels": ["get"],
    "/repos/{owner}/{repo}/pulls": ["get", "post"],
    "/repos/{owner}/{repo}/pulls/{pull_number}": ["get", "patch"],
    "/repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers": ["post"],
    "/repos/{owner}/{repo}/rules/branches/{branch}": ["get"],
    "/repos/{owner}/{repo}/statuses/{sha}": ["post"],
}

# None keeps every field of a type.
GRAPHQL = {
    "Query": ["viewer", "repository"],
    "Mutation": ["updateRefs", "createCommitOnBranch"],
    "UpdateRefsInput": None,
    "RefUpdate": None,
    "UpdateRefsPayload": None,
    "CreateCommitOnBranchInput": None,
    "CommittableBranch": None,
    "CommitMessage": None,
    "FileChanges": None,
    "FileAddition": None,
    "FileDeletion": None,
    "CreateCommitOnBranchPayload": ["clientMutationId", "commit"],
    "Commit": ["oid", "message", "tree", "status"],
    "Status": ["contexts"],
    "StatusContext": ["context", "state", "description", "targetUrl"],
    "StatusState": None,
    "GitObject": ["oid"],
    "Tree": ["oid"],
    "User": ["login"],
    "Actor": ["login"],
    "Repository": ["id", "nameWithOwner", "object", "pullRequests"],
    "PullRequest": ["number", "url", "state", "title", "body", "headRefOid", "headRefName", "baseRefName",
                    "headRepository", "isCrossRepository", "author", "labels", "commits", "timelineItems"],
    "PullRequestConnection": ["nodes", "pageInfo", "totalCount"],
    "PageInfo": None,
    "LabelConnection": ["nodes"],
    "Label": ["name"],
    "LabelOrder": None, "LabelOrderField": None, "OrderDirection": None,
    "IssueOrder": None, "IssueOrderField": None,
    "PullRequestState": None,
    "PullRequestCommitConnection": ["nodes"],
    "PullRequestCommit": ["commit"],
    "PullRequestTimelineItemsConnection": ["nodes"],
    "PullRequestTimelineItems": ["ClosedEvent"],
    "PullRequestTimelineItemsItemType": ["CLOSED_EVENT"],
    "ClosedEvent": ["actor", "createdAt"],
    "GitObjectID": None, "GitRefname": None, "Base64String": None, "URI": None, "DateTime": None,
}

REF = re.compile(r"^#/components/([^/]+)/(.+)$")
PROSE = {"description", "summary", "example", "examples", "externalDocs", "x-github", "x-github-breaking-changes",
         "x-multi-segment", "tags", "title", "deprecated"}


def strip(node, names=False):
    """Drops prose; names says that the keys of node are names, not keywords."""
    if isinstance(node, list):
        return [strip(n) for n in node]
    if not isinstance(node, dict):
        return node
    out = {}
    for key, value in node.items():
        if not names and (key in PROSE or key.startswith("x-")):
            continue
        out[key] = strip(value, names=not names and key in ("properties", "responses", "headers", "schemas", "patternProperties"))
    return out


def rest(source, target):
    full = json.loads(pathlib.Path(source).read_text())
    paths = {}
    for path, methods in OPERATIONS.items():
        item = full["paths"][path]
        paths[path] = {m: {k: v for k, v in item[m].items() if k != "callbacks"} for m in methods}
        if "parameters" in item:
            paths[path]["parameters"] = item["parameters"]
    paths = {p: {m: strip(o) for m, o in item.items()} for p, item in paths.items()}
    components, waiting = {}, [paths]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, dict):
            found = REF.match(node["$ref"]) if isinstance(node.get("$ref"), str) else None
            if found:
                kind, name = found.groups()
                if name not in components.setdefault(kind, {}):
                    components[kind][name] = strip(full["components"][kind][name])
                    waiting.append(components[kind][name])
            waiting.extend(node.values())
    for item in paths.values():
        for operation in item.values():
            if isinstance(operation, dict):
                for response in operation["responses"].values():
                    if "$ref" not in response:
                        response.setdefault("description", "")
    for response in components.get("responses", {}).values():
        response.setdefault("description", "")
    pruned = {"openapi": full["openapi"], "info": {"title": full["info"]["title"], "version": full["info"]["version"]},
              "paths": paths, "components": {k: dict(sorted(v.items())) for k, v in sorted(components.items())}}
    target.write_text(json.dumps(pruned, indent=1, ensure_ascii=False) + "\n")


def graphql(source, target):
    text = re.sub(r'^[ \t]*"""(.|\n)*?"""\n', "", pathlib.Path(source).read_text(), flags=re.M)
    out = []
    for name, fields in GRAPHQL.items():
        block = re.search(r"^(type|input|enum|interface|union|scalar) " + name + r"\b[^\n{=]*(\{\n(?:.|\n)*?^\}|(?:=\s*)?(?:(?:.|\n)*?)(?=\n\n|\n\Z))?", text, re.M)
        if not block:
            sys.exit(f"{source}: no {name}")
        kind = block.group(1)
        if kind == "scalar":
            out.append(f"scalar {name}")
            continue
        if kind == "union":
            out.append(f"union {name} = " + " | ".join(fields))
            continue
        body = block.group(2)[2:-1]
        kept = []
        for field in re.split(r"\n(?=  \w)", "\n" + re.sub(r"\n\s*\n", "\n", body).rstrip()):
            field = field.rstrip()
            label = re.match(r"\s*(\w+)", field)
            if label and (fields is None or label.group(1) in fields):
                kept.append(re.sub(r"@(possibleTypes|preview|deprecated|docsCategory)\([^)]*\)", "", field).rstrip().lstrip("\n"))
        header = block.group(0).split("{")[0]
        known = [i for i in re.findall(r"\w+", header.partition("implements")[2]) if i in GRAPHQL]
        implements = " implements " + " & ".join(known) if known else ""
        out.append(f"{kind} {name}{implements} {{\n" + "\n".join(kept) + "\n}")
    target.write_text("\n\n".join(out) + "\n")


here = pathlib.Path(__file__).parent / "testdata"
rest(sys.argv[1], here / "api.github.com.json")
graphql(sys.argv[2], here / "schema.graphql")
