/**
 * Runs the demo backend alone, until it is stopped: `node dist/demo/run-backend.js [HOST]`, ports 9000 and 9001.
 */
import { startDemoBackend } from './backend.ts';

const backend = await startDemoBackend({
  host: process.argv[2] ?? '127.0.0.1',
  integrationPort: 9000,
  metricsPort: 9001,
});
process.once('SIGTERM', backend.close);
process.once('SIGINT', backend.close);
