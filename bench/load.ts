/**
 * Loads one address with wrk, and tells what one round of that cost the process behind it. Before the first round it sends the
 * request once by itself: a contender that answers otherwise than it should is not measured.
 */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Contender, Sample } from './measure.ts';
import { LOAD_CORE, type Server } from './processes.ts';

export interface Load {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly connections?: number;
}

export interface HttpContender {
  readonly scenario: string;
  readonly name: string;
  readonly server: Server;
  readonly port: number;
  readonly load: Load;
  /** The status that every answer must have. */
  readonly status: number;
  /** For the load's script. */
  readonly folder: string;
}

interface WrkReport {
  readonly requests: number;
  readonly micros: number;
  readonly p50Micros: number;
  readonly p99Micros: number;
  /** Answers of 400 and above. */
  readonly refused: number;
  readonly broken: number;
}

const CONNECTIONS = 32;
const connectionsOf = ({ connections = CONNECTIONS }: Load): number => connections;

/** A round that got fewer requests through is done again, for twice as long, up to `MAX_SECONDS`. */
const MIN_REQUESTS_PER_CONNECTION = 50;
const MAX_SECONDS = 16;

let scripts = 0;

/** A contender that is loaded over HTTP. */
export async function httpContender(options: HttpContender): Promise<Contender> {
  const { scenario, name, server, port, load, status, folder } = options;
  const seen = await statusOf(port, load);
  if (seen !== status) throw new Error(`${scenario} ${name}: status ${seen} instead of ${status}`);
  const script = writeScript(folder, load);
  const measure = async (seconds: number): Promise<Sample> => {
    const before = server.cpuMicros();
    const report = await wrk({ port, load, script, seconds });
    const cpuMicros = server.cpuMicros() - before;
    server.dropLog();
    // What is under way when wrk ends has cost CPU time and is not counted: it must not weigh.
    if (report.requests < MIN_REQUESTS_PER_CONNECTION * connectionsOf(load) && seconds < MAX_SECONDS)
      return measure(seconds * 2);
    if (report.requests === 0) throw new Error(`${scenario} ${name}: no answer in ${seconds} s`);
    const wrong = status < 400 ? report.refused : report.requests - report.refused;
    if (wrong + report.broken > 0)
      throw new Error(`${scenario} ${name}: ${wrong} wrong answers, ${report.broken} broken connections`);
    return {
      requests: report.requests,
      cpuMicrosPerRequest: cpuMicros / report.requests,
      requestsPerSecond: report.requests / (report.micros / 1e6),
      p99Millis: report.p99Micros / 1000,
    };
  };
  return { scenario, name, measure };
}

/** Sends so many requests, with no eye on time. */
export async function sendCounted(port: number, load: Load, folder: string, count: number): Promise<void> {
  // wrk sleeps its time out even when its thread has stopped: hence in short runs.
  for (let missing = count; missing > 0;) {
    const script = writeScript(folder, load, missing);
    missing -= (await wrk({ port, load, script, seconds: 2 })).requests;
  }
}

/** The median time to an answer on one connection, in microseconds. */
export async function latencyOf(port: number, load: Load, folder: string, seconds: number): Promise<number> {
  const alone = { ...load, connections: 1 };
  const { requests, refused, broken, p50Micros } = await wrk({
    port,
    load: alone,
    script: writeScript(folder, load),
    seconds,
  });
  if (requests === 0 || refused + broken > 0) throw new Error(`${refused} refused, ${broken} broken of ${requests}`);
  return p50Micros;
}

/** The status that a request gets, on a connection of its own. */
export async function statusOf(port: number, load: Load): Promise<number> {
  return (await exchange(port, load)).status;
}

export async function exchange(port: number, load: Load): Promise<{ readonly status: number; readonly text: string }> {
  const { method, path, headers, body } = load;
  return new Promise((resolve, reject) => {
    const length = body === '' ? {} : { 'content-length': Buffer.byteLength(body) };
    const req = request({
      port,
      method,
      path,
      host: '127.0.0.1',
      agent: false,
      headers: { ...headers, ...length },
    });
    req.once('error', reject);
    req.once('response', (res) => {
      let text = '';
      res.setEncoding('utf8').on('data', (part: string) => (text += part));
      res.once('end', () => resolve({ status: res.statusCode ?? 0, text })).once('error', reject);
    });
    req.end(body);
  });
}

interface WrkRun {
  readonly port: number;
  readonly load: Load;
  readonly script: string;
  readonly seconds: number;
}

async function wrk({ port, load, script, seconds }: WrkRun): Promise<WrkReport> {
  const { stdout } = await promisify(execFile)('taskset', [
    '-c',
    String(LOAD_CORE),
    'wrk',
    '--threads',
    '1',
    '--connections',
    String(connectionsOf(load)),
    '--duration',
    `${seconds}s`,
    '--timeout',
    '30s',
    '--script',
    script,
    `http://127.0.0.1:${port}${load.path}`,
  ]);
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as WrkReport;
}

/** wrk builds the request once from these; only what it tells at the end is ours. */
function writeScript(folder: string, { method, headers, body }: Load, count?: number): string {
  const name = join(folder, `load-${scripts++}`);
  writeFileSync(`${name}.body`, body);
  const lines = [
    `wrk.method = ${luaText(method)}`,
    ...Object.entries(headers).map(([field, value]) => `wrk.headers[${luaText(field)}] = ${luaText(value)}`),
    ...(body === '' ? [] : [`wrk.body = io.open(${luaText(`${name}.body`)}, "rb"):read("*a")`]),
    ...(count === undefined ? [] : [COUNTED.replace('COUNT', String(count))]),
    REPORT,
  ];
  writeFileSync(`${name}.lua`, lines.join('\n'));
  return `${name}.lua`;
}

const COUNTED = `local answers = 0
function response()
  answers = answers + 1
  if answers == COUNT then wrk.thread:stop() end
end`;

const REPORT = `function done(summary, latency)
  local e = summary.errors
  io.write(string.format('\\n{"requests":%d,"micros":%d,"p50Micros":%d,"p99Micros":%d,"refused":%d,"broken":%d}\\n', summary.requests,
    summary.duration, latency:percentile(50), latency:percentile(99), e.status, e.connect + e.read + e.write + e.timeout))
end`;

/** A Lua string; long bodies come from a file. */
function luaText(value: string): string {
  return `"${value.replaceAll(/[^ !#-[\]-~]/g, (unit) => `\\${String(unit.charCodeAt(0)).padStart(3, '0')}`)}"`;
}
