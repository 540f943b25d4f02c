/**
 * S8: memory. Resident after 20,000 and after 60,000 batches of S1, and its growth while 64 clients post one megabyte each to a
 * backend that reads slowly.
 */
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { createServer, type AddressInfo, type Server as NetServer } from 'node:net';
import { sendCounted } from '../load.ts';
import { limitedKey, nothingCut, unrestricted, unrestrictedKey } from '../loads.ts';
import type { Server } from '../processes.ts';
import type { Comparison, Scenario } from '../scenario.ts';
import { withPosterns } from '../with-servers.ts';

const MEGABYTE = 1e6;
const CLIENTS = 64;
const UPLOAD_BYTES = 1e6;

export const steadyMemory: Scenario = (bench) =>
  withPosterns(bench, { keys: [limitedKey] }, async (posterns) => {
    const rows = [];
    for (const { name, server, port } of posterns) {
      const folder = bench.newFolder();
      await sendCounted(port, nothingCut, folder, 20_000);
      const early = server.residentBytes();
      await sendCounted(port, nothingCut, folder, 40_000);
      const late = server.residentBytes();
      const what = 'RSS after 20,000 and 60,000 requests';
      const ratio: Comparison = { between: '60,000 : 20,000', values: [late / early], must: 1.2, aim: 1.05 };
      rows.push({
        scenario: 'S8',
        what: `${name}, ${what}`,
        comparisons: [ratio],
        figure: `${megabytes(early)} MB, ${megabytes(late)} MB`,
      });
    }
    return rows;
  });

export const uploads: Scenario = async (bench) => {
  const backend = await startSlowBackend();
  const { port: backendPort } = backend.address() as AddressInfo;
  try {
    return await withPosterns({ ...bench, backendPort }, { keys: [unrestrictedKey] }, async (posterns) => {
      const rows = [];
      for (const { name, server, port } of posterns) {
        const idle = server.residentBytes();
        const peak = await peakWhile(server, uploadAtOnce(port));
        const growth = (peak - idle) / MEGABYTE;
        const what = `${name}, RSS idle and at its highest during ${CLIENTS} uploads`;
        const limits: Comparison = { between: 'growth', values: [growth], unit: 'MB', must: 60, aim: 40 };
        rows.push({
          scenario: 'S8',
          what,
          comparisons: [limits],
          figure: `${megabytes(idle)} MB, ${megabytes(peak)} MB`,
        });
      }
      return rows;
    });
  } finally {
    backend.close();
  }
};

const megabytes = (bytes: number): string => (bytes / MEGABYTE).toFixed(0);

/** Takes 16 KB every 5 ms from each connection, and answers when it has got everything. */
async function startSlowBackend(): Promise<NetServer> {
  const server = createServer({ highWaterMark: 16_384 }, (socket) => {
    let missing = Infinity;
    socket.on('error', () => socket.destroy());
    socket.on('data', (part) => {
      const head = missing === Infinity ? part.indexOf('\r\n\r\n') : -1;
      if (head >= 0) missing = UPLOAD_BYTES + head + 4;
      missing -= part.length;
      if (missing <= 0) {
        missing = Infinity;
        socket.write('HTTP/1.1 204 No Content\r\n\r\n');
      }
      socket.pause();
      setTimeout(() => socket.resume(), 5);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function uploadAtOnce(port: number): Promise<void> {
  const agent = new Agent({ keepAlive: false });
  const body = Buffer.alloc(UPLOAD_BYTES, 'x');
  const upload = async (): Promise<void> => {
    const { method, path, headers } = unrestricted;
    const length = { 'content-length': UPLOAD_BYTES };
    const req = request({ agent, port, method, path, host: '127.0.0.1', headers: { ...headers, ...length } });
    req.end(body);
    const [res] = (await once(req, 'response')) as [{ statusCode: number; resume: () => void }];
    res.resume();
    if (res.statusCode !== 204) throw new Error(`S8: an upload was answered with ${res.statusCode}`);
  };
  await Promise.all(Array.from({ length: CLIENTS }, upload));
}

async function peakWhile(server: Server, work: Promise<void>): Promise<number> {
  let peak = 0;
  const watch = setInterval(() => (peak = Math.max(peak, server.residentBytes())), 10);
  try {
    await work;
  } finally {
    clearInterval(watch);
  }
  return peak;
}
