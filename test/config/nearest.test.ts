import t from 'tap';
import { nearestName } from '../../src/config/nearest.ts';

const known = ['port', 'host', 'trustedProxies', 'maxBodyBytes'];
t.equal(nearestName('prot', known), 'port', 'a swap');
t.equal(nearestName('pot', known), 'port', 'a letter left out');
t.equal(nearestName('PORT', known), 'port', 'letter case');
t.equal(nearestName('trusted_proxies', known), 'trustedProxies');
t.equal(nearestName('maxEntrySize', known), null, 'too far');
t.equal(nearestName('x', known), null);
t.equal(nearestName('', known), null);
t.equal(nearestName('port', []), null);
