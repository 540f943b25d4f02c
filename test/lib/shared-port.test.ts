import t from 'tap';
import { sharesPorts } from '../../src/lib/shared-port.ts';

for (const version of ['20.19.0', '22.20.0', '23.0.0']) t.equal(sharesPorts(version), false, version);
for (const version of ['23.1.0', '23.11.1', '24.0.0', '100.0.0']) t.equal(sharesPorts(version), true, version);
