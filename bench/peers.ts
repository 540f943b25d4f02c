/**
 * What Postern is compared with, each configured as its own manual advises for the plain task of passing requests on over
 * kept connections, without a log and with one worker. A program that is not here and cannot be installed is left out.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requireTool } from '../test/support/tools.ts';
import { loadLua, luaPolicy, type LuaPolicy } from './peers/nginx-lua.ts';
import { freePort, launch, LOAD_CORE, PROXY_CORE, untilListening, type Server } from './processes.ts';

export interface Peer {
  readonly name: string;
  readonly server: Server;
  readonly port: number;
}

export interface Backend {
  readonly port: number;
  readonly stop: () => Promise<void>;
}

export interface PeerPlace {
  /** A folder for configurations and logs. */
  readonly folder: string;
  readonly backendPort: number;
}

export type StartPeer = (place: PeerPlace) => Promise<Peer>;

/** Where the compiled programs of peers/ are. */
const PROGRAMS = join(import.meta.dirname, 'peers');

export const startBareNode: StartPeer = (place) => startNode(place, 'node:http 204', 'bare-node.js');

export const startBareHttpProxy: StartPeer = (place) =>
  startNode(place, '@fastify/http-proxy', 'bare-http-proxy.js', `http://127.0.0.1:${place.backendPort}`);

export const startBareUndici: StartPeer = (place) =>
  startNode(place, 'node:http and undici', 'bare-undici.js', `http://127.0.0.1:${place.backendPort}`);

export const startJsonFilterProxy = (allowedEvents: readonly string[]): StartPeer => {
  const names = allowedEvents.join(',');
  return (place) =>
    startNode(place, 'Fastify parsing JSON', 'json-filter-proxy.js', `http://127.0.0.1:${place.backendPort}`, names);
};

export const startNginx: StartPeer = async ({ folder, backendPort }) => {
  const port = await freePort();
  const server = startNginxProcess(join(folder, 'nginx'), PROXY_CORE, [
    `upstream backend { server 127.0.0.1:${backendPort}; keepalive 128; keepalive_requests 100000000; }`,
    `server { listen 127.0.0.1:${port}; keepalive_requests 100000000; location / {`,
    '  proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection "";',
    '} }',
  ]);
  await untilListening(port, server);
  return { name: 'nginx', server, port };
};

/** nginx with what Postern does for S1, written in Lua: the key by its digest, its addresses, its events by cjson. */
export const startNginxLua =
  (policy: LuaPolicy): StartPeer =>
  async ({ folder, backendPort }) => {
    const modules = loadLua();
    const port = await freePort();
    const script = join(folder, 'policy.lua');
    writeFileSync(script, luaPolicy(policy));
    const server = startNginxProcess(
      join(folder, 'nginx-lua'),
      PROXY_CORE,
      [
        `lua_package_path "/usr/share/lua/5.1/?.lua;${folder}/?.lua;;"; init_by_lua_block { require "resty.core" policy = require "policy" }`,
        `client_body_buffer_size 1m; upstream backend { server 127.0.0.1:${backendPort}; keepalive 128; keepalive_requests 100000000; }`,
        `server { listen 127.0.0.1:${port}; keepalive_requests 100000000; location / {`,
        '  access_by_lua_block { policy() }',
        '  proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Authorization "";',
        '  proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Request-Id $request_id;',
        '} }',
      ],
      modules,
    );
    await untilListening(port, server);
    return { name: 'nginx with Lua', server, port };
  };

export const startHaproxy: StartPeer = async ({ folder, backendPort }) => {
  const port = await freePort();
  const file = join(folder, 'haproxy.cfg');
  const lines = [
    'global\n  nbthread 1\n  maxconn 1000',
    'defaults\n  mode http\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s',
    `listen front\n  bind 127.0.0.1:${port}\n  server backend 127.0.0.1:${backendPort}`,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const command = [requireTool('haproxy', 'haproxy'), '-db', '-f', file] as const;
  const server = launch({ core: PROXY_CORE, command, logFile: join(folder, 'haproxy.log') });
  await untilListening(port, server);
  return { name: 'HAProxy', server, port };
};

export const startCaddy: StartPeer = async ({ folder, backendPort }) => {
  const port = await freePort();
  const file = join(folder, 'Caddyfile');
  const site = `http://127.0.0.1:${port} {\n\treverse_proxy 127.0.0.1:${backendPort}\n}\n`;
  writeFileSync(file, `{\n\tadmin off\n\tauto_https off\n}\n${site}`);
  const command = [requireTool('caddy', 'caddy'), 'run', '--config', file, '--adapter', 'caddyfile'] as const;
  const env = { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  const server = launch({ core: PROXY_CORE, command, env, logFile: join(folder, 'caddy.log') });
  await untilListening(port, server);
  return { name: 'Caddy', server, port };
};

/** The same for all: answers 204, and metrics queries with a small table. nginx where there is one, for it costs least. */
export async function startBackend(folder: string): Promise<Backend> {
  const port = await freePort();
  const answer = JSON.stringify({ rows: Array.from({ length: 10 }, (_, day) => ({ day, visitors: 1000 + day })) });
  const server = startNginxProcess(join(folder, 'backend'), LOAD_CORE, [
    `server { listen 127.0.0.1:${port}; keepalive_requests 100000000; location / { return 204; }`,
    `location /metrics/ { default_type application/json; return 200 '${answer}'; } }`,
  ]);
  await untilListening(port, server);
  return { port, stop: server.stop };
}

function startNginxProcess(
  folder: string,
  core: number,
  http: readonly string[],
  modules: readonly string[] = [],
): Server {
  const nginx = requireTool('nginx', 'nginx-light');
  mkdirSync(folder);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${folder}/${kind};`,
  );
  const lines = [
    ...modules,
    // Who starts it as root gets workers of his own, which may use the folder.
    ...(process.getuid?.() === 0 ? ['user root;'] : []),
    `worker_processes 1; pid ${folder}/pid; error_log stderr crit; events { worker_connections 1024; }`,
    `http { access_log off; client_max_body_size 0; ${temporary.join(' ')}`,
    ...http,
    '}',
  ];
  writeFileSync(join(folder, 'nginx.conf'), `${lines.join('\n')}\n`);
  const command = [nginx, '-g', 'daemon off;', '-p', folder, '-c', join(folder, 'nginx.conf')] as const;
  return launch({ core, command, logFile: join(folder, 'log') });
}

async function startNode({ folder }: PeerPlace, name: string, program: string, ...args: string[]): Promise<Peer> {
  const port = await freePort();
  const command = [process.execPath, join(PROGRAMS, program), String(port), ...args] as const;
  const server = launch({ core: PROXY_CORE, command, logFile: join(folder, `${program}.log`) });
  await untilListening(port, server);
  return { name, server, port };
}
