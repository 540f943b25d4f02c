/**
 * Prints what the image holds as CycloneDX: npm's own bill of materials of the lock file, less what is for development alone, the
 * time and the random number, so that the same lock file gives the same text.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const args = ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--package-lock-only'];
const {
  serialNumber: _number,
  metadata,
  components,
  dependencies,
  ...bill
} = JSON.parse(execFileSync('npm', args, { encoding: 'utf8', maxBuffer: 2 ** 26 }));
const { timestamp: _time, component, ...rest } = metadata;
// npm names it after the folder that it stands in.
const named = { ...component, name: component.purl.replace(/^pkg:npm\/|@.*$/g, '') };

// Not by npm's `--omit dev`: that leaves out what development needs too.
const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const shipped = new Set();
for (const [path, { version, dev, devOptional }] of Object.entries(packages))
  if (dev !== true && devOptional !== true)
    shipped.add(`${path.replace(/^.*node_modules\//, '') || named.name}@${version}`);
const isShipped = (reference) => shipped.has(reference.replace(/\|.*$/, ''));

process.stdout.write(
  `${JSON.stringify(
    {
      ...bill,
      metadata: { ...rest, component: named },
      components: components.filter((one) => shipped.has(`${one.name}@${one.version}`)),
      dependencies: dependencies
        .filter(({ ref }) => isShipped(ref))
        .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter(isShipped) })),
    },
    null,
    2,
  )}\n`,
);
