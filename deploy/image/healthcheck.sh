#!/bin/bash
# The image's health check: asks /healthz of the admin port on the container's loopback. By bash alone, since starting Node every
# ten seconds costs more than Postern does at rest. Only an admin port that speaks TLS, or answers wrongly, is asked by Node.
port=${POSTERN_ADMIN_PORT:-9090}
# Kubernetes sets the name to an URL for a Service `postern-admin`.
[[ $port =~ ^[0-9]+$ ]] || port=9090

# A port that speaks TLS closes at the first bytes of plain text: what is written after them must not end this script.
trap '' PIPE

by_bash() {
  exec 3<>"/dev/tcp/127.0.0.1/$port" || return 1
  printf 'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nConnection: close\r\n\r\n' "$port" >&3
  read -r -t 2 line <&3
  [[ $line == 'HTTP/1.1 200 '* ]]
}

by_node='
  const options = { host: "127.0.0.1", port: process.argv[1], path: "/healthz", rejectUnauthorized: false, timeout: 2000 };
  const ask = require("node:https").get(options, ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1));
  ask.on("error", () => process.exit(1));
  ask.on("timeout", () => process.exit(1));
'

by_bash 2>/dev/null || exec node -e "$by_node" "$port"
