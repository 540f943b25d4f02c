/**
 * `npm start`: builds, then runs Postern with the example configuration in front of a demo backend.
 * `npm start -- --config FILE`: builds, then runs Postern with that configuration, and nothing else.
 */
import { spawn, spawnSync } from 'node:child_process';

const args = process.argv.slice(2);
const build = spawnSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
if (build.error) process.stderr.write(`The build could not be run: ${build.error.message}. Run npm ci first.\n`);
if (build.status !== 0) process.exit(build.status ?? 1);

const command = args.length === 0 ? ['dist/demo/start.js'] : ['dist/main.js', ...args];
const child = spawn(process.execPath, command, { stdio: 'inherit' });
// Ctrl-C in a terminal reaches the child by itself; a signal to this process alone does not.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('exit', (code) => process.exit(code ?? 1));
