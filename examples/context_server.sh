#!/bin/sh
# The context server by curl: write, change, conflict, window, what changed, roll back, events.
# Start one by `sharedctx serve --background`; SHAREDCTX_SERVER names another one.
set -eu
server=${SHAREDCTX_SERVER:-http://127.0.0.1:3003}
project=$server/context/curl-demo
json='content-type: application/json'
me='x-agent-id: curl'

echo '--- write'
curl -sS -X PUT -H "$json" -H "$me" -d '{"context": {"currentTask": "mend the parser", "steps": [1, 2]}}' "$project"
echo
echo '--- change by top-level names'
curl -sS -X POST -H "$json" -H "$me" -d '{"modified": {"steps": [1, 2, 3]}, "added": {"owner": "curl"}}' "$project/diff"
echo
echo '--- somebody who builds on version 1 is told of the conflict'
curl -sS -X POST -H "$json" -H 'if-match: "1"' -d '{"added": {"late": true}}' "$project/diff"
echo
echo '--- what changed since version 1'
curl -sS "$project?since=1"
echo
echo '--- what fits 60 tokens, the rest as references'
curl -sS "$project?maxTokens=60"
echo
echo '--- who has version 2 is not sent it again'
curl -sS -o /dev/null -w '%{http_code}' -H 'if-none-match: "2"' "$project"
echo
echo '--- version 1 again, as version 3'
curl -sS -X POST -H "$json" -H "$me" -d '{"version": 1}' "$project/rollback"
echo
echo '--- events since version 1'
curl -s --max-time 1 "$project/stream?fromVersion=1" || true
echo '--- gone'
curl -sS -X DELETE -H "$me" "$project"
echo
